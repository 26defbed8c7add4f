import { type CommandGuide, type Guide, namesOfCommand, type OptionGuide } from './guide.ts'

/** A man page in section 1, in the macros of man(7). */
export function manPage(guide: Guide): string {
  const { name, version, summary, description, options, commands, sections } = guide
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" ${quoted(`${name} ${version}`)}`,
    '.SH NAME',
    text(`${name} - ${summary}`),
    '.SH SYNOPSIS',
    `.B ${text(name)}`,
    text('[options] [command]'),
    '.SH DESCRIPTION',
    paragraphs(description, '.PP'),
    '.SH OPTIONS',
    options.map(describeOption),
    '.SH COMMANDS',
    [...new Set(commands.map(({ group }) => group))].map((group) => {
      const all = commands.filter((command) => command.group === group)
      return [`.SS ${quoted(group)}`, all.map((command) => describe(name, command))]
    }),
    sections.map(({ heading, text: words }) => [
      `.SH ${quoted(heading.toUpperCase())}`,
      paragraphs(words, '.PP'),
    ]),
  ]
  return `${lines.flat(9).join('\n')}\n`
}

/** Lines, in order, of any depth. */
type Lines = string | Lines[]

function describe(program: string, command: CommandGuide): Lines {
  const names = namesOfCommand(command).map(
    (one) => `\\fB${text(`${program} ${one}`)}\\fR ${text(command.usage)}`,
  )
  const options = command.options.map(describeOption)
  return [
    '.TP',
    names.join('\n.TQ\n'),
    paragraphs(command.description, '.IP'),
    options.length === 0 ? [] : ['.RS', options, '.RE'],
  ]
}

function describeOption(option: OptionGuide): Lines {
  const { short, long, value, isOptional, choices, description } = option
  const names = [short, long].filter((one) => one !== null).map((one) => `\\fB${text(one)}\\fR`)
  const shown = value === null ? '' : ` \\fI${text(isOptional ? `[${value}]` : value)}\\fR`
  const known = choices.length === 0 ? '' : ` (${choices.join(', ')})`
  return ['.TP', `${names.join(', ')}${shown}`, text(`${description}${known}`)]
}

function paragraphs(words: string, between: string): string {
  return words
    .split('\n')
    .map((line) => text(line))
    .join(`\n${between}\n`)
}

/** A line of plain text: what troff would take for a command or another character is escaped. */
function text(line: string): string {
  const plain = line
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll("'", String.raw`\(aq`)
    .replaceAll('`', String.raw`\(ga`)
    .replaceAll('^', String.raw`\(ha`)
    .replaceAll('~', String.raw`\(ti`)
  return plain.startsWith('.') ? `\\&${plain}` : plain
}

function quoted(words: string): string {
  return `"${text(words).replaceAll('"', String.raw`\(dq`)}"`
}
