# What the word under the cursor is, of one command of a command line: sets `words` (those before it) and `cur`.
_ovs_split() {
  local line=${COMP_LINE:0:COMP_POINT}
  read -ra words <<< "$line"
  cur=
  if [[ $line != *[[:space:]] ]]; then
    cur=${words[${#words[@]} - 1]}
    unset "words[${#words[@]} - 1]"
  fi
}

# Offers those of the arguments that begin with `cur`. Readline takes `:` and `=` for ends of words: what stands before
# the last of them is on the line already.
_ovs_offer() {
  local before= candidate
  if [[ $cur == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then
    before=${cur%"${cur##*[:=]}"}
  fi
  for candidate in "$@"; do
    [[ $candidate == "$cur"* ]] && COMPREPLY+=("${candidate#"$before"}")
  done
  # After `column=` and `column:` comes a value, not another word.
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=] ]] && compopt -o nospace 2> /dev/null
  return 0
}

# The table that a word means: case and `-` `_` do not matter, an abbreviation will do.
_ovs_table() {
  local word=${1,,} table
  word=${word//-/_}
  for table in $_ovs_tables; do
    [[ ${table,,} == "$word"* ]] && echo "${table,,}" && return
  done
}

# Columns of a table, then keys or values of one. $2: what follows a column, `=`, `:` or nothing.
_ovs_column() {
  local table column rest
  table=$(_ovs_table "$1")
  case $cur in
    *=*)
      column=${cur%%=*}
      _ovs_offer $(printf "$column=%s\n" ${_ovs_values[$table.${column//-/_}]})
      ;;
    *:*)
      column=${cur%%:*}
      _ovs_offer $(printf "$column:%s$2\n" ${_ovs_keys[$table.${column//-/_}]})
      ;;
    *)
      for column in ${_ovs_columns[$table]}; do
        [[ -n $2 ]] && _ovs_offer "$column$2"
        [[ -z $2 || -n ${_ovs_keys[$table.$column]} ]] && _ovs_offer "$column${_ovs_keys[$table.$column]:+:}"
      done
      ;;
  esac
}

_ovs_vsctl() {
  local cur words i word command= takes_value= table
  local -a args=() query
  COMPREPLY=()
  _ovs_split
  query=("${words[0]}" --timeout=2)
  for ((i = 1; i < ${#words[@]}; i++)); do
    word=${words[i]}
    if [[ -n $takes_value ]]; then
      [[ $takes_value == --db ]] && query+=("--db=$word")
      takes_value=
    elif [[ $word == -- ]]; then
      command=
      args=()
    elif [[ -n $command ]]; then
      args+=("$word")
    elif [[ $word == --db=* ]]; then
      query+=("$word")
    elif [[ " $_ovs_vsctl_valued " == *" $word "* ]]; then
      takes_value=$word
    elif [[ $word != -* ]]; then
      command=$word
    fi
  done
  [[ -n $takes_value ]] && return
  if [[ -z $command ]]; then
    if [[ $cur == -* ]]; then _ovs_offer $_ovs_vsctl_options $_ovs_vsctl_command_options
    else _ovs_offer "${!_ovs_vsctl_arguments[@]}"; fi
    return
  fi
  local -a signs=(${_ovs_vsctl_arguments[$command]})
  local n=${#args[@]} sign
  sign=${signs[n]}
  # The last argument may come again.
  [[ -z $sign && ${#signs[@]} -gt 0 && ${signs[${#signs[@]} - 1]} == [+*]* ]] && sign=${signs[${#signs[@]} - 1]}
  table=${args[0]}
  case $command in add-port | add-bond) table=port ;; esac
  case ${sign#[?+*!]} in
    BRIDGE | PARENT) _ovs_offer $("${query[@]}" list-br 2> /dev/null) ;;
    PORT*)
      for i in $("${query[@]}" list-br 2> /dev/null); do _ovs_offer $("${query[@]}" list-ports "$i" 2> /dev/null); done
      ;;
    IFACE | BOND)
      for i in $("${query[@]}" list-br 2> /dev/null); do _ovs_offer $("${query[@]}" list-ifaces "$i" 2> /dev/null); done
      ;;
    TABLE) if [[ $cur == [a-z]* ]]; then _ovs_offer ${_ovs_tables,,}; else _ovs_offer $_ovs_tables; fi ;;
    RECORD)
      table=$(_ovs_table "$table")
      case " ${_ovs_columns[$table]} " in
        *' name '*) _ovs_offer $("${query[@]}" --bare --columns=name list "$table" 2> /dev/null) ;;
        *) _ovs_offer . $("${query[@]}" --bare --columns=_uuid list "$table" 2> /dev/null) ;;
      esac
      ;;
    COLUMN) _ovs_column "$table" '' ;;
    COLUMN\?:KEY) _ovs_column "$table" '' ;;
    COLUMN\?:KEY=VALUE) _ovs_column "$table" = ;;
    TARGET) _ovs_offer tcp: ssl: unix: ptcp: pssl: punix: ;;
    MODE) _ovs_offer standalone secure ;;
    STATE=SECONDS) _ovs_offer $(printf '%s=\n' ${_ovs_keys[ct_timeout_policy.timeouts]}) ;;
    zone=ZONE) _ovs_offer zone= ;;
    PRIVATE-KEY | CERTIFICATE | CA-CERT) COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}
complete -F _ovs_vsctl ovs-vsctl

# The tools whose arguments are files and words that only the user knows.
_ovs_simple() {
  local cur words i command=
  COMPREPLY=()
  _ovs_split
  for ((i = 1; i < ${#words[@]}; i++)); do
    [[ ${words[i]} != -* ]] && command=${words[i]} && break
  done
  if [[ $cur == -* ]]; then _ovs_offer ${_ovs_options[$1]}
  elif [[ -z $command ]]; then _ovs_offer ${_ovs_commands[$1]}
  else COMPREPLY=($(compgen -f -- "$cur")); fi
}
