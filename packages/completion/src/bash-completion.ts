import {
  type CommandGuide,
  firstOptions,
  type Guide,
  namesOf,
  namesOfCommand,
  type OptionGuide,
} from './guide.ts'

/** A script for bash, from 3.2 on, that completes a program's commands, options and values. It starts no program for that. */
export function bashCompletion(guide: Guide): string {
  const { name, commands } = guide
  const own = `_${name.replaceAll(/\W/g, '_')}`
  const all = commands.flatMap(namesOfCommand)
  const first = { words: all, operands: 'other', passesThrough: null } as const
  return `# bash completion of ${name}: put this into a file that bash reads, such as ~/.bashrc, or
#   source <(${name} completion bash)

${own}_of() {
  words= operand=other program=-1
  case $1 in
${commands.map((command) => branch(namesOfCommand(command).join('|'), command.options, command)).join('\n')}
    help) options=--help valued= files= directories= choices= words=${quoted(all)} ;;
${branch('*', firstOptions(guide), first)}
  esac
}

${own}() {
  local cur prev word command= count=0 index=1 options valued files directories choices words operand program
  cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  # Bash takes --option=value for three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  ${own}_of ''
  while ((index < COMP_CWORD)); do
    word=\${COMP_WORDS[index]}
    if [[ $word == -- ]]; then
      [[ $command == '' || $program -ge 0 ]] && program=0 count=0
      ((index += 1))
      break
    elif [[ $valued == *" $word "* ]]; then
      ((index += 1))
      [[ \${COMP_WORDS[index]} == = ]] && ((index += 1))
      if ((index >= COMP_CWORD)); then
        ${own}_value
        return
      fi
    elif [[ $word != -* || $word == - ]]; then
      if [[ $command == '' ]]; then
        command=$word
        ${own}_of "$command"
      elif ((count == program)); then
        break
      else
        ((count += 1))
      fi
    fi
    ((index += 1))
  done
  if ((count == program)); then
    if ((index < COMP_CWORD)); then
      if declare -F _command_offset >/dev/null; then _command_offset $index; else ${own}_files; fi
    elif [[ $cur == -* && \${COMP_WORDS[COMP_CWORD-1]} != -- ]]; then
      COMPREPLY=($(compgen -W "$options" -- "$cur"))
    else
      COMPREPLY=($(compgen -c -- "$cur"))
    fi
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ $words != '' && $count == 0 ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  elif [[ $operand == file ]]; then
    ${own}_files
  fi
}

${own}_value() {
  if [[ $choices =~ " $prev="([^ ]*) ]]; then
    COMPREPLY=($(compgen -W "\${BASH_REMATCH[1]//,/ }" -- "$cur"))
  elif [[ $files == *" $prev "* ]]; then
    ${own}_files
  elif [[ $directories == *" $prev "* ]]; then
    ${own}_files -d
  fi
}

${own}_files() {
  local line
  compopt -o filenames 2>/dev/null
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen \${1:--f} -- "$cur")
}

complete -F ${own} ${name}
`
}

function branch(
  pattern: string,
  options: readonly OptionGuide[],
  { words, operands, passesThrough }: Pick<CommandGuide, 'words' | 'operands' | 'passesThrough'>,
): string {
  // An option whose value may be left out does not take the next word.
  const valued = options.filter(({ value, isOptional }) => value !== null && !isOptional)
  const ofKind = (kind: OptionGuide['kind']) =>
    padded(valued.filter((option) => option.kind === kind).flatMap(namesOf))
  const choices = valued
    .filter((option) => option.choices.length > 0)
    .flatMap((option) => namesOf(option).map((name) => `${name}=${option.choices.join(',')}`))
  const parts = [
    `options=${quoted([...options.flatMap(namesOf), '--help'])}`,
    `valued=${padded(valued.flatMap(namesOf))}`,
    `files=${ofKind('file')} directories=${ofKind('directory')} choices=${padded(choices)}`,
    `words=${quoted(words)} operand=${operands} program=${passesThrough ?? -1} ;;`,
  ]
  return [`    ${pattern})`, ...parts.map((part) => `      ${part}`)].join('\n')
}

function quoted(words: readonly string[]): string {
  return `'${words.join(' ')}'`
}

/** Words with a space around each, so that one of them can be found. */
function padded(words: readonly string[]): string {
  return words.length === 0 ? "''" : `' ${words.join(' ')} '`
}
