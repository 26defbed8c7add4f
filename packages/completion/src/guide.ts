/** The description of a program with commands, of which completions and a man page are made. */
export interface Guide {
  readonly name: string
  readonly version: string
  /** One line. */
  readonly summary: string
  /** Paragraphs, separated by a line break. */
  readonly description: string
  /** Options that are also accepted before the command's name. */
  readonly options: readonly OptionGuide[]
  readonly commands: readonly CommandGuide[]
  /** The name of the command that is meant if none is given. */
  readonly defaultCommand: string
  /** More sections of the man page: their headings and paragraphs. */
  readonly sections: readonly { readonly heading: string; readonly text: string }[]
}

/** The description of a command. */
export interface CommandGuide {
  readonly name: string
  /** Another name for it. */
  readonly alias?: string | undefined
  /** The heading under which it is listed. */
  readonly group: string
  /** One line, without a full stop. */
  readonly summary: string
  /** Paragraphs, separated by a line break. */
  readonly description: string
  /** The words after its name, such as `[options] <file>`. */
  readonly usage: string
  readonly options: readonly OptionGuide[]
  /** The words that its first operand may be; empty if that is up to the user. */
  readonly words: readonly string[]
  /** What its operands are, after the first if that is one of `words`. */
  readonly operands: 'file' | 'other'
  /** After so many operands comes another program with its arguments; `null` if none does. */
  readonly passesThrough: number | null
}

/** The description of an option. */
export interface OptionGuide {
  /** With its hyphen, such as `-D`; `null` if there is none. */
  readonly short: string | null
  /** With its hyphens, such as `--datadir`. */
  readonly long: string
  /** The name of its value; `null` if it has none. */
  readonly value: string | null
  /** Whether the value may be left out. */
  readonly isOptional: boolean
  readonly kind: 'file' | 'directory' | 'other'
  /** The values that it may have; empty if that is up to the user. */
  readonly choices: readonly string[]
  readonly description: string
}

/** The short and the long name of an option. */
export function namesOf({ short, long }: OptionGuide): string[] {
  return short === null ? [long] : [short, long]
}

/** The options before the name of a command: those of the program and of its default command, each once. */
export function firstOptions({ options, commands, defaultCommand }: Guide): OptionGuide[] {
  const own = commands.find(({ name }) => name === defaultCommand)?.options ?? []
  const known = new Set(own.map(({ long }) => long))
  return [...own, ...options.filter(({ long }) => !known.has(long))]
}

/** The names of a command. */
export function namesOfCommand({ name, alias }: CommandGuide): string[] {
  return alias === undefined ? [name] : [name, alias]
}
