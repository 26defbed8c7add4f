import {
  type CommandGuide,
  firstOptions,
  type Guide,
  namesOfCommand,
  type OptionGuide,
} from './guide.ts'

/** A script for zsh that completes a program's commands, options and values. It starts no program for that. */
export function zshCompletion(guide: Guide): string {
  const { name, commands } = guide
  const own = `_${name.replaceAll(/\W/g, '_')}`
  const list = commands.flatMap((command) =>
    namesOfCommand(command).map((one) => quoted(`${one}:${command.summary}`)),
  )
  return `#compdef ${name}
# zsh completion of ${name}: put this into a file _${name} in a directory of $fpath, or
#   source <(${name} completion zsh)

${own}_commands() {
  local -a commands=(
${list.map((line) => `    ${line}`).join('\n')}
  )
  _describe -t commands '${name} command' commands
}

${own}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C -s \\
${specs(firstOptions(guide), ["'1: :->command'", "'*:: :->rest'"])}
  case $state in
    command) ${own}_commands ;;
    rest)
      case $words[1] in
${commands.map((command) => branch(command)).join('\n')}
        help) _arguments '1: :${own}_commands' ;;
      esac
      ;;
  esac
}

if [[ $funcstack[1] == ${own} ]]; then
  ${own} "$@"
else
  (( $+functions[compdef] )) && compdef ${own} ${name}
fi
`
}

function branch(command: CommandGuide): string {
  const operands = operandsOf(command)
  return `        ${namesOfCommand(command).join('|')})
          _arguments -s \\
${specs(command.options, operands, '            ')}
          ;;`
}

function operandsOf({ words, operands, passesThrough }: CommandGuide): string[] {
  if (passesThrough === 0) return ["'*::program: _normal'"]
  if (passesThrough === 1) return ["'1:file:_files'", "'*::program: _normal'"]
  const rest = operands === 'file' ? ["'*:file:_files'"] : ["'*: :'"]
  return words.length === 0 ? rest : [quoted(`1: :(${words.join(' ')})`), ...rest]
}

function specs(
  options: readonly OptionGuide[],
  operands: readonly string[],
  indent = '    ',
): string {
  const help = quoted('(- *)--help[print the help]')
  return [...options.map(specOf), help, ...operands].map((line) => `${indent}${line}`).join(' \\\n')
}

/** The words of an option for `_arguments`; see "zshcompsys" in zsh's manual. */
function specOf({
  short,
  long,
  value,
  isOptional,
  kind,
  choices,
  description,
}: OptionGuide): string {
  const text = description.replaceAll(/[[\]\\]/g, String.raw`\$&`)
  const action =
    choices.length > 0
      ? `(${choices.join(' ')})`
      : { file: '_files', directory: '_directories', other: ' ' }[kind]
  // A value that may be left out is written as --option=value.
  const takes = value === null ? '' : `:${value.replaceAll(':', '')}:${action}`
  const equals = value === null ? '' : isOptional ? '=-' : '='
  const optional = isOptional ? takes.replace(':', '::') : takes
  const end = quoted(`[${text}]${optional}`)
  if (short === null) return `'*'${long}${equals}${end}`
  return `'*'{${short}${value === null ? '' : '+'},${long}${equals}}${end}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
