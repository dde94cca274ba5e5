# bash completion for ocelot, written by `ocelot completion bash`

_ocelot() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options='' words='' i
  local -a said=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in -*) ;; *) said+=("${COMP_WORDS[i]}") ;; esac
  done
  # A row a command: the words that go on, @ before those of a noun; options, with what they take.
  local common='--json --context= -h --help'
  local -A rows=(
    ['ocelot']='@build logs status list kill rerun run init validate schema up down login version doctor context repos poll secret image workers token audit plugins config backup restore migrate completion help --help --version'
    ['build']='-b= --branch= -c= --commit= --force -d --detach'
    ['logs']='-f --follow --failed --stage= --tail= --raw'
    ['status']=''
    ['list']='--repo= -a --all --branch= --state=queued|running|passed|failed|timed_out|canceled|error|rejected --commit= -n= --limit= --before='
    ['kill']=''
    ['rerun']='-d --detach'
    ['run']='--stage= --secret= --keep --runtime= --data=FILE --config=FILE --set='
    ['init']=''
    ['validate']='--branch= FILE'
    ['schema']=''
    ['up']='--port= --install --data=FILE --config=FILE --set='
    ['down']='--now --data=FILE --config=FILE --set='
    ['login']='--name= --ca=FILE --insecure'
    ['version']='--server'
    ['doctor']='--data=FILE --config=FILE --set='
    ['context']='@list use remove'
    ['context list']=''
    ['context use']=''
    ['context remove']=''
    ['repos']='@add list show remove'
    ['repos add']='--name= --vcs='
    ['repos list']=''
    ['repos show']=''
    ['repos remove']=''
    ['poll']='@add remove'
    ['poll add']='--every= --branches='
    ['poll remove']=''
    ['secret']='@set list remove'
    ['secret set']='--repo= --system --registry --data=FILE --config=FILE --set='
    ['secret list']='--repo= --system --registry --data=FILE --config=FILE --set='
    ['secret remove']='--repo= --system --registry --data=FILE --config=FILE --set='
    ['image']='@import list remove'
    ['image import']='--data=FILE --config=FILE --set= --runtime= FILE'
    ['image list']='--data=FILE --config=FILE --set= --runtime='
    ['image remove']='--data=FILE --config=FILE --set= --runtime='
    ['workers']='drain add join'
    ['workers drain']='--undo'
    ['workers add']='--tags= --slots= --data=FILE --config=FILE --set='
    ['workers join']='--address= --dir=FILE --force --no-start'
    ['token']='@add list revoke'
    ['token add']='--role=admin|operator|viewer --expires='
    ['token list']=''
    ['token revoke']=''
    ['audit']='-n= --limit= --before='
    ['plugins']='@list'
    ['plugins list']=''
    ['config']='@defaults check'
    ['config defaults']=''
    ['config check']='--data=FILE --config=FILE --set='
    ['backup']='--data=FILE --config=FILE --set= FILE'
    ['restore']='--force --data=FILE --config=FILE --set= FILE'
    ['migrate']='--from=FILE --to=FILE --set='
    ['completion']='bash zsh fish'
    ['help']=''
  )
  local key=ocelot item
  if [[ -n ${said[0]-} ]]; then
    key=${said[0]}
    [[ -z ${said[1]-} || -z ${rows[$key ${said[1]}]+x} ]] || key+=" ${said[1]}"
  fi
  local row=${rows[$key]-}
  [[ $row == @* ]] || row+=" $common"
  for item in ${row#@}; do
    case $item in
      "$prev="*)
        item=${item#*=}
        if [[ $item == FILE ]]; then compopt -o default; else COMPREPLY=($(compgen -W "${item//|/ }" -- "$cur")); fi
        return
        ;;
      FILE) compopt -o default ;;
      -*) options+=" ${item%%=*}" ;;
      *) words+=" $item" ;;
    esac
  done
  case $cur in -*) words=$options ;; esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _ocelot ocelot
