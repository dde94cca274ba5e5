# bash completion for ocelot, written by `ocelot completion bash`

_ocelot() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options='' words='' i
  local -a said=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in -*) ;; *) said+=("${COMP_WORDS[i]}") ;; esac
  done
  case ${said[0]-} in
    '') words='build logs status list kill rerun run init validate schema up down login version doctor context repos poll secret image workers token audit plugins config backup restore migrate completion help'; options='--help --version' ;;
    'build')
      case $prev in
        -b|--branch) :; return ;;
        -c|--commit) :; return ;;
        --context) :; return ;;
      esac
      options='-b --branch -c --commit --force -d --detach --json --context -h --help'
      ;;
    'logs')
      case $prev in
        --stage) :; return ;;
        --tail) :; return ;;
        --context) :; return ;;
      esac
      options='-f --follow --failed --stage --tail --raw --json --context -h --help'
      ;;
    'status')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'list')
      case $prev in
        --repo) :; return ;;
        --branch) :; return ;;
        --state) COMPREPLY=($(compgen -W 'queued running passed failed timed_out canceled error rejected' -- "$cur")); return ;;
        --commit) :; return ;;
        -n|--limit) :; return ;;
        --before) :; return ;;
        --context) :; return ;;
      esac
      options='--repo -a --all --branch --state --commit -n --limit --before --json --context -h --help'
      ;;
    'kill')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'rerun')
      case $prev in
        --context) :; return ;;
      esac
      options='-d --detach --json --context -h --help'
      ;;
    'run')
      case $prev in
        --stage) :; return ;;
        --secret) :; return ;;
        --runtime) :; return ;;
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--stage --secret --keep --runtime --data --config --set --json --context -h --help'
      ;;
    'init')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'validate')
      case $prev in
        --branch) :; return ;;
        --context) :; return ;;
      esac
      options='--branch --json --context -h --help'
      compopt -o default
      ;;
    'schema')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'up')
      case $prev in
        --port) :; return ;;
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--port --install --data --config --set --json --context -h --help'
      ;;
    'down')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--now --data --config --set --json --context -h --help'
      ;;
    'login')
      case $prev in
        --name) :; return ;;
        --ca) compopt -o default; return ;;
        --context) :; return ;;
      esac
      options='--name --ca --insecure --json --context -h --help'
      ;;
    'version')
      case $prev in
        --context) :; return ;;
      esac
      options='--server --json --context -h --help'
      ;;
    'doctor')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--data --config --set --json --context -h --help'
      ;;
    context)
    case ${said[1]-} in
    '') words='list use remove' ;;
    'list')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'use')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'remove')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    esac ;;
    repos)
    case ${said[1]-} in
    '') words='add list show remove' ;;
    'add')
      case $prev in
        --name) :; return ;;
        --vcs) :; return ;;
        --context) :; return ;;
      esac
      options='--name --vcs --json --context -h --help'
      ;;
    'list')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'show')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'remove')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    esac ;;
    poll)
    case ${said[1]-} in
    '') words='add remove' ;;
    'add')
      case $prev in
        --every) :; return ;;
        --branches) :; return ;;
        --context) :; return ;;
      esac
      options='--every --branches --json --context -h --help'
      ;;
    'remove')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    esac ;;
    secret)
    case ${said[1]-} in
    '') words='set list remove' ;;
    'set')
      case $prev in
        --repo) :; return ;;
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--repo --system --registry --data --config --set --json --context -h --help'
      ;;
    'list')
      case $prev in
        --repo) :; return ;;
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--repo --system --registry --data --config --set --json --context -h --help'
      ;;
    'remove')
      case $prev in
        --repo) :; return ;;
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--repo --system --registry --data --config --set --json --context -h --help'
      ;;
    esac ;;
    image)
    case ${said[1]-} in
    '') words='import list remove' ;;
    'import')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --runtime) :; return ;;
        --context) :; return ;;
      esac
      options='--data --config --set --runtime --json --context -h --help'
      compopt -o default
      ;;
    'list')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --runtime) :; return ;;
        --context) :; return ;;
      esac
      options='--data --config --set --runtime --json --context -h --help'
      ;;
    'remove')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --runtime) :; return ;;
        --context) :; return ;;
      esac
      options='--data --config --set --runtime --json --context -h --help'
      ;;
    esac ;;
    workers)
    case ${said[1]-} in
    '') words='drain' ;;
    'drain')
      case $prev in
        --context) :; return ;;
      esac
      options='--undo --json --context -h --help'
      ;;
    esac ;;
    token)
    case ${said[1]-} in
    '') words='add list revoke' ;;
    'add')
      case $prev in
        --role) COMPREPLY=($(compgen -W 'admin operator viewer' -- "$cur")); return ;;
        --expires) :; return ;;
        --context) :; return ;;
      esac
      options='--role --expires --json --context -h --help'
      ;;
    'list')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'revoke')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    esac ;;
    'audit')
      case $prev in
        -n|--limit) :; return ;;
        --before) :; return ;;
        --context) :; return ;;
      esac
      options='-n --limit --before --json --context -h --help'
      ;;
    plugins)
    case ${said[1]-} in
    '') words='list' ;;
    'list')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    esac ;;
    config)
    case ${said[1]-} in
    '') words='defaults check' ;;
    'defaults')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
    'check')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--data --config --set --json --context -h --help'
      ;;
    esac ;;
    'backup')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--data --config --set --json --context -h --help'
      compopt -o default
      ;;
    'restore')
      case $prev in
        --data) compopt -o default; return ;;
        --config) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--force --data --config --set --json --context -h --help'
      compopt -o default
      ;;
    'migrate')
      case $prev in
        --from) compopt -o default; return ;;
        --to) compopt -o default; return ;;
        --set) :; return ;;
        --context) :; return ;;
      esac
      options='--from --to --set --json --context -h --help'
      ;;
    'completion')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      words='bash zsh fish'
      ;;
    'help')
      case $prev in
        --context) :; return ;;
      esac
      options='--json --context -h --help'
      ;;
  esac
  case $cur in -*) words=$options ;; esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _ocelot ocelot
