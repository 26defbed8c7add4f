import type { Declaration } from '../command.ts'
import { cluster } from './usual-options.ts'

/** The commands below "PostgreSQL" in the help. */
export const postgresqlCommands: readonly Declaration[] = [
  {
    name: 'runtimes',
    group: 'PostgreSQL',
    operands: '[action] [version]',
    actions: ['install', 'remove'],
    summary: 'list the PostgreSQLs of this machine, "install VERSION" or "remove VERSION"',
    description:
      'Lists the PostgreSQLs of this machine; * marks the one that would be used. "howdah runtimes install 16" installs one ' +
      'from npm, and "howdah runtimes remove 16" removes it.',
    options: [...cluster, 'runtime', 'force', 'json'],
    load: async () => (await import('../../commands/machine/runtimes.ts')).runtimes,
  },
  {
    name: 'doctor',
    group: 'PostgreSQL',
    summary: 'report what is wrong here and its cure; --fix repairs what is safe to repair',
    description:
      'Examines the cluster here, the other clusters of howdah on this machine, and what they need. It looks for stray servers; ' +
      'for shared memory, pid files and links that were left behind; for unfinished work, wrong owners and permissions, ' +
      'PostgreSQLs that do not run, and low limits of the system. It reports each fault with its cure.\n--fix looks again, and ' +
      'then repairs what is safe to repair. It changes nothing that is in use.',
    options: [...cluster, 'fix', 'here', 'clearTemplates', 'json'],
    notes: 'Exit status: 0 if nothing is wrong or everything was repaired, otherwise 1.',
    load: async () => (await import('../../commands/machine/doctor.ts')).doctor,
  },
  {
    name: 'version',
    group: 'PostgreSQL',
    summary: 'print the versions of howdah, of Node and of the PostgreSQL that is used here',
    options: [...cluster, 'runtime', 'json'],
    load: async () => (await import('../../commands/machine/version.ts')).version,
  },
  {
    name: 'completion',
    group: 'PostgreSQL',
    operands: '<shell>',
    usage: 'bash | zsh | fish | man',
    actions: ['bash', 'zsh', 'fish', 'man'],
    summary: 'print a completion script for bash, zsh or fish, or the man page',
    description:
      'Prints a script that completes commands, options and values of howdah. Its first lines say where it belongs.\n' +
      '"man" prints the man page: howdah completion man | man -l -',
    options: [],
    load: async () => (await import('../../commands/machine/completion.ts')).completion,
  },
  {
    name: 'agents',
    group: 'PostgreSQL',
    summary: 'print a section for AGENTS.md: what a coding agent has to know about howdah',
    description:
      'Prints a section for AGENTS.md, CLAUDE.md or a similar file: what a coding agent has to know about howdah.',
    options: [],
    load: async () => (await import('../../commands/machine/agents.ts')).agents,
  },
]
