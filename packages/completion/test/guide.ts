import type { Guide, OptionGuide } from '../src/index.ts'

const option = (long: string, more: Partial<OptionGuide> = {}): OptionGuide => ({
  short: null,
  long,
  value: null,
  isOptional: false,
  kind: 'other',
  choices: [],
  description: "what it's for: [one] or `two` \\ three",
  ...more,
})

const directory = option('--dir', { short: '-D', value: 'dir', kind: 'directory' })
const mode = option('--mode', { value: 'mode', choices: ['fast', 'slow'] })
const fast = option('--fast', { short: '-f' })
const tcp = option('--tcp', { value: 'port', isOptional: true })
const file = option('--file', { value: 'file', kind: 'file' })

const command = { group: 'Use', words: [], operands: 'other', passesThrough: null } as const

/** A program that has something of every kind. */
export const guide: Guide = {
  name: 'try',
  version: '1.2.3',
  summary: "what it's",
  description: '.hidden at the start\nand a back\\slash',
  options: [directory, tcp],
  defaultCommand: 'go',
  sections: [{ heading: 'Files', text: '~/.try: a file' }],
  commands: [
    {
      ...command,
      name: 'go',
      summary: "go 'there': now",
      description: 'Goes.',
      usage: '[options]',
      options: [directory, mode, fast, tcp, file],
    },
    {
      ...command,
      name: 'run',
      summary: 'run a program',
      description: 'Runs.',
      usage: '[options] <command>',
      options: [directory, mode],
      passesThrough: 0,
    },
    {
      ...command,
      name: 'walk',
      summary: 'walk to a file',
      description: 'Walks.',
      usage: '<file>',
      options: [],
      operands: 'file',
    },
    {
      ...command,
      name: 'set',
      summary: 'set one or two',
      description: 'Sets.',
      usage: 'one | two',
      options: [fast],
      words: ['one', 'two'],
    },
  ],
}
