import type { Declaration } from './declaration.ts'
import { cluster } from './usual-options.ts'

/** The commands below "PostgreSQL" in the help. */
export const postgresqlCommands: readonly Declaration[] = [
  {
    name: 'runtimes',
    group: 'PostgreSQL',
    operands: '[action] [version]',
    summary: 'list the PostgreSQLs found here, "install VERSION" or "remove VERSION"',
    description:
      'Lists the PostgreSQLs found here; * marks the one that would be used. "howdah runtimes install 16" fetches one ' +
      'from npm, "howdah runtimes remove 16" removes it again.',
    options: [...cluster, 'runtime', 'force', 'json'],
    load: async () => (await import('../../commands/machine/runtimes.ts')).runtimes,
  },
  {
    name: 'doctor',
    group: 'PostgreSQL',
    summary: 'say what is wrong here and how to mend it; --fix mends what is safe to mend',
    description:
      'Looks for what is wrong with the cluster here and with others of howdah on this machine, and with what they need: ' +
      'stray servers, shared memory, pid files and links that were left behind, unfinished work, owners and ' +
      'permissions, PostgreSQLs that do not run, limits of the system. Each is named with its cure.\n--fix mends what ' +
      'is provably left behind, or safe to mend otherwise, after looking again; nothing that is used is touched.',
    options: [...cluster, 'fix', 'here', 'clearTemplates', 'json'],
    notes: 'Exit status: 0 if nothing is wrong, or all was mended; 1 if something is.',
    load: async () => (await import('../../commands/machine/doctor.ts')).doctor,
  },
  {
    name: 'agents',
    group: 'PostgreSQL',
    summary: 'print a section for AGENTS.md: what a coding agent has to know of howdah',
    description:
      'Prints a section for AGENTS.md, CLAUDE.md or the like: what a coding agent has to know of howdah.',
    options: [],
    load: async () => (await import('../../commands/machine/agents.ts')).agents,
  },
]
