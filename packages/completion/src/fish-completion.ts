import {
  type CommandGuide,
  firstOptions,
  type Guide,
  namesOf,
  namesOfCommand,
  type OptionGuide,
} from './guide.ts'

/** A script for fish, from 3.0 on, that completes a program's commands, options and values. */
export function fishCompletion(guide: Guide): string {
  const { name, commands } = guide
  const own = `__${name.replaceAll(/\W/g, '_')}`
  const valued = new Set(
    [...firstOptions(guide), ...commands.flatMap(({ options }) => options)]
      .filter(({ value, isOptional }) => value !== null && !isOptional)
      .flatMap(namesOf),
  )
  const flags = commands.flatMap(({ options }) =>
    options.filter(({ value }) => value === null).flatMap(namesOf),
  )
  // A name that is a flag of one command and takes a value in another counts as a flag.
  for (const flag of flags) valued.delete(flag)
  const line = (condition: string, rest: string) =>
    `complete -c ${name} -n '${own} ${condition}' ${rest}`
  const option = (condition: string, one: OptionGuide) => line(condition, optionOf(one))
  const linesOf = (command: CommandGuide, one: string) => {
    const { summary, options, words, operands, passesThrough } = command
    const hasFiles = operands === 'file' || passesThrough === 1
    const rest = words.length === 0 ? one : `${one} 1`
    return [
      line('""', `-a ${one} -d ${quoted(summary)}`),
      line('help', `-a ${one} -d ${quoted(summary)}`),
      options.map((each) => option(one, each)),
      line(one, "-s h -l help -d 'print the help'"),
      words.length === 0 ? [] : line(`${one} 0`, `-a ${quoted(words.join(' '))}`),
      hasFiles ? line(rest, '-F') : [],
      passesThrough === 0 ? line(one, "-x -a '(__fish_complete_subcommand --fcs-skip=2)'") : [],
    ]
  }
  const lines = commands
    .map((command) => namesOfCommand(command).map((one) => linesOf(command, one)))
    .flat(4)
  return `# fish completion of ${name}: put this into ~/.config/fish/completions/${name}.fish, or
#   ${name} completion fish | source

function ${own} -d 'Whether the command line has this command, and so many operands'
    set -l command ''
    set -l operands 0
    set -l skips 0
    for word in (commandline -opc)[2..-1]
        if test $skips = 1
            set skips 0
        else if contains -- $word ${[...valued].join(' ')}
            set skips 1
        else if not string match -q -- '-*' $word
            if test "$command" = ''
                set command $word
            else
                set operands (math $operands + 1)
            end
        end
    end
    test "$command" = "$argv[1]"; and begin
        test (count $argv) = 1; or test $operands = $argv[2]
    end
end

complete -c ${name} -f
${line('""', `-s h -l help -d 'print the help'`)}
${firstOptions(guide)
  .map((one) => option('""', one))
  .join('\n')}
${lines.join('\n')}
`
}

function optionOf({
  short,
  long,
  value,
  isOptional,
  kind,
  choices,
  description,
}: OptionGuide): string {
  const names = `${short === null ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`
  const takes =
    value === null || isOptional
      ? ''
      : choices.length > 0
        ? ` -x -a ${quoted(choices.join(' '))}`
        : { file: ' -r -F', directory: " -x -a '(__fish_complete_directories)'", other: ' -x' }[
            kind
          ]
  return `${names}${takes} -d ${quoted(description)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
