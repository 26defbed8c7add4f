import type { Declaration } from '../command.ts'
import { cluster, login, server } from './usual-options.ts'

/** The commands below "Use" in the help. */
export const useCommands: readonly Declaration[] = [
  {
    name: 'shell',
    alias: 'psql',
    group: 'Use',
    summary:
      'psql, or the built-in prompt if there is no psql (what howdah does if no command is given)',
    description:
      'Starts psql, or the built-in prompt, which does what psql does, if there is no psql. SQL from -c, -f or, if it is ' +
      'not a terminal, from stdin is run up to the first error.\nWords after -- are passed on to psql. The built-in ' +
      'prompt knows many of its options too, such as -At and --csv.',
    options: [
      ...(['sql', 'file', ...cluster, 'database', ...login, 'env', ...server] as const),
      ...(['linger', 'destroy', 'temporary', 'empty', 'ifExists'] as const),
    ],
    notes:
      'Exit status: that of psql, and the same from the built-in prompt: 1 after a failed -c, 3 after a\n' +
      "failed -f or stdin. howdah's own failures are 125.",
    usage: '[options] [-- args...]',
    takesRest: true,
    runsProgram: true,
    load: async () => (await import('../../commands/shell.ts')).shell,
  },
  {
    name: 'exec',
    group: 'Use',
    operands: '<command> [args...]',
    summary: 'run a command with DATABASE_URL and the PG* variables set',
    description:
      'Runs a command with DATABASE_URL and the PG* variables set. The server is started if it does not run, and stopped ' +
      'when its last user has left.',
    options: [
      ...([...cluster, 'database', ...login, 'env', ...server] as const),
      ...(['linger', 'destroy', 'temporary', 'empty', 'ifExists', 'shadow'] as const),
    ],
    notes:
      'Exit status: that of the command, or 128 and the number of the signal that ended it. 125 if\n' +
      'howdah itself failed, 126 if the command cannot be run, 127 if it is not found.',
    passesThrough: 0,
    runsProgram: true,
    load: async () => (await import('../usual-commands.ts')).exec,
  },
]
