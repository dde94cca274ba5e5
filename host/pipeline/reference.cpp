// The handbook's page on ocelot.yml and the editors' JSON Schema, from the key table.

#include <span>
#include <string>

#include "host/pipeline/keys.hpp"
#include "host/pipeline/pipeline.hpp"

namespace ocelot::pipeline {

namespace {

struct Part {
  Scope scope;
  std::string_view title;
};

constexpr Part kParts[] = {
    {Scope::root, "The file"},
    {Scope::stage, "A stage"},
    {Scope::trigger, "`trigger`"},
    {Scope::clone, "`clone`"},
    {Scope::resources, "`resources`"},
    {Scope::keep, "`keep`"},
    {Scope::notification, "A notification"},
    {Scope::notify, "`notify` as a map"},
    {Scope::slack, "`slack`"},
};

constexpr const char* kIntroduction = R"(# ocelot.yml

This page is generated from the reader's own table of keys; do not edit it.

`ocelot.yml` (or `ocelot.yaml`, but not both) stands in the root of a repository and is read at the commit that is built.
A whole file is

```yaml
image: debian:12
stages:
  - name: test
    script: make test
```

`ocelot validate` reads a file as the server does and prints every problem with its line and column. Unknown keys are
errors, because a mistyped key that is ignored is a build that does something else than it says.
)";

constexpr const char* kNotes = R"(
## Scripts

The items of `script` are the commands of one shell script, run by `shell` under `set -e`: the first command that fails
ends the stage, and variables, functions and `cd` hold for the commands that follow. An item may have several lines (`|`).
Branch names, commit messages and authors come from outside: they are given as variables and are never put into the text of a
script. Write `"$OCELOT_BRANCH"` with its quotes.

## Variables

| variable | value |
|---|---|
| `CI`, `OCELOT` | `true` |
| `OCELOT_BUILD_ID`, `OCELOT_BUILD_NUMBER` | the build's UUID; its number |
| `OCELOT_REPO`, `OCELOT_BRANCH` | `account/repo`; the branch, of a pull request its source branch |
| `OCELOT_COMMIT`, `OCELOT_COMMIT_SHORT` | the full commit id; its first 7 digits |
| `OCELOT_AUTHOR`, `OCELOT_MESSAGE` | of the commit |
| `OCELOT_TRIGGER` | `push`, `pull_request`, `tag`, `manual`, `poll`, `schedule` or `rerun` |
| `OCELOT_WORKSPACE`, `WORKSPACE` | where the checkout is and stages start |
| `GIT_HASH`, `GIT_HASH_SHORT`, `GIT_BRANCH`, `BUILD_ID` | names of the first Ocelot; `BUILD_ID` is the number |
| `GIT_PREVIOUS_SUCCESSFUL_COMMIT` | commit of the last passed build of the branch; unset when there is none |

Later wins: the image's `ENV`, the variables above, `env` of the file, `env` of the stage. A secret and a variable may not
have the same name.

## Branch patterns

A pattern is an [RE2 expression](https://github.com/google/re2/wiki/Syntax) that must match the whole name of the branch:
`main`, `release-.*`, `main|next`. RE2 has neither look-around nor back-references; Unicode classes (`\p`) are not available. `ALL` matches every branch. A list
has at most 50 patterns of at most 512 bytes.

## Triggers

A stage with `triggers` runs when one of its lines holds:

```yaml
triggers:
  - \branch main||release-.* and \filepath src/
  - \text "[deploy]"
```

| part | holds when |
|---|---|
| `\branch a\|\|b` | the name of the branch matches a pattern |
| `\filepath a\|\|b&&c` | the path of a changed file contains the text; also when the changed files are not all known |
| `\text a\|\|"b c"` | the message of one of the change's commits contains the text |

`&&` binds tighter than `||`, and `and` between parts tighter than `or`. Values that stand beside each other mean `||`. A value with
spaces, `||`, `&&`, or that is the word `and` or `or` or a single `|` or `&` is put in double quotes, in which `\"` and `\\` stand for
`"` and `\`. In YAML, put a line with double quotes in single quotes if it contains `: ` or ` #`. A stage whose triggers do not hold
is shown as skipped, with the reason.

## What the reader refuses

Files of more than 256 KiB, that are not UTF-8, or that have control characters; more than 50 levels, 10,000 values, 100
aliases, or aliases that expand to more than 50,000 values or 1 MiB of text; duplicate keys; tags other than YAML's own; a
second document. Texts are taken as written: `012` stays `012` and `yes` stays `yes`. Anchors, aliases and merge keys (`<<`)
work; keys at the top that begin with `x-` are ignored and are a place for anchors.
)";

constexpr const char* kDefinitions = R"(    "texts": {
      "oneOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}}
      ]
    },
    "patterns": {
      "oneOf": [
        {"type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 512},
        {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 512}}
      ]
    },
    "triggers": {
      "oneOf": [
        {"type": "string", "pattern": "^\\s*\\\\(branch|filepath|text)\\s"},
        {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^\\s*\\\\(branch|filepath|text)\\s"}}
      ]
    },
    "environment": {
      "oneOf": [
        {"type": "string", "pattern": "^(?!OCELOT_)[A-Za-z_][A-Za-z0-9_]*="},
        {
          "type": "object",
          "propertyNames": {"pattern": "^(?!OCELOT_)[A-Za-z_][A-Za-z0-9_]*$"},
          "additionalProperties": {"type": ["string", "number", "boolean", "null"]}
        },
        {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^(?!OCELOT_)[A-Za-z_][A-Za-z0-9_]*="}}
      ]
    },
    "secrets": {
      "oneOf": [
        {"type": "string", "pattern": "^(?!OCELOT_)[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 255},
        {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"type": "string", "pattern": "^(?!OCELOT_)[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 255}}
      ]
    },
    "duration": {"type": "string", "pattern": "^(?=.*[1-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$", "minLength": 2},
    "size": {"type": ["string", "integer"], "pattern": "^[0-9]+([kKmMgGtT]?[iI]?[bB]?)$"},
    "user": {"type": ["string", "integer"], "minimum": 0, "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$"},
    "results": {
      "oneOf": [
        {"enum": ["PASS", "FAIL"]},
        {"type": "array", "minItems": 1, "items": {"enum": ["PASS", "FAIL"]}}
      ]
    },
    "notify": {
      "oneOf": [{"$ref": "#/$defs/notifyMap"}, {"type": "array", "maxItems": 20, "items": {"$ref": "#/$defs/notification"}}]
    })";

// Only `"` and `\` occur in the table's texts.
std::string jsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// The members of an object's schema, each on a line of its own.
std::string jsonObject(Scope scope, const std::string& indent) {
  std::string properties, required;
  for (const KeySpec& spec : allKeys()) {
    if (spec.scope != scope) continue;
    if (!properties.empty()) properties += ",\n";
    properties += indent + "  " + jsonText(spec.name) + ": {\"description\": " + jsonText(spec.help) + ", " +
                  std::string(spec.json.substr(1));
    if (spec.required) required += (required.empty() ? "" : ", ") + jsonText(spec.name);
  }
  std::string out = indent + "\"type\": \"object\",\n" + indent + "\"additionalProperties\": false,\n";
  if (scope == Scope::root) out += indent + "\"patternProperties\": {\"^x-\": {}},\n";
  if (scope == Scope::stage) out += indent + "\"not\": {\"required\": [\"trigger\", \"triggers\"]},\n";
  if (!required.empty()) out += indent + "\"required\": [" + required + "],\n";
  return out + indent + "\"properties\": {\n" + properties + "\n" + indent + "}";
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string reference() {
  std::string out = kIntroduction;
  for (const Part& part : kParts) {
    out += "\n## " + std::string(part.title) + "\n\n| key | value | without it | what it does |\n|---|---|---|---|\n";
    for (const KeySpec& spec : allKeys()) {
      if (spec.scope != part.scope) continue;
      const std::string fallback = spec.required ? "required" : spec.fallback.empty() ? "–" : cell(spec.fallback);
      out += "| `" + std::string(prefixOf(spec.scope)) + std::string(spec.name) + "` | " + cell(spec.type) + " | " +
             fallback + " | " + cell(spec.help) + " |\n";
    }
  }
  return out + kNotes;
}

std::string schema() {
  static constexpr struct {
    Scope scope;
    const char* name;
  } kObjects[] = {{Scope::stage, "stage"},         {Scope::trigger, "trigger"}, {Scope::clone, "clone"},
                  {Scope::resources, "resources"}, {Scope::keep, "keep"},       {Scope::notification, "notification"},
                  {Scope::notify, "notifyMap"},    {Scope::slack, "slack"}};
  std::string out =
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"ocelot.yml\",\n";
  out += jsonObject(Scope::root, "  ") + ",\n  \"$defs\": {\n" + kDefinitions;
  for (const auto& object : kObjects)
    out += ",\n    \"" + std::string(object.name) + "\": {\n" + jsonObject(object.scope, "      ") + "\n    }";
  return out + "\n  }\n}\n";
}

}  // namespace ocelot::pipeline
