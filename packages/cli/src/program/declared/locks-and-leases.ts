import type { Declaration } from './declaration.ts'

/** The commands below "Locks and leases" in the help. */
export const lockAndLeaseCommands: readonly Declaration[] = [
  {
    name: 'lock',
    group: 'Locks and leases',
    operands: '<path>',
    usage: '[options] <path> [-- <command> [args...]]',
    summary: 'run a command while holding a lock on a file or directory, or say who holds it',
    description:
      'Waits for the lock on a file, which is made if it is missing, or on a directory, and runs a command while holding ' +
      'it. It is a lock of flock(2), and excludes flock(1) and all others who use that. The command inherits it, so ' +
      'that it lasts until the command and all that it started have ended, even if howdah itself is killed. With ' +
      '--close only howdah has it.\nWithout a command, says who holds ' +
      'the lock and who waits for it, without taking it (on Linux).',
    options: ['shared', 'close', 'timeout', 'json', 'quiet'],
    notes:
      'Exit status: that of the command, or 128 and the number of the signal that ended it. 125 if the\n' +
      'lock was not acquired in time, or howdah itself failed, 126 if the command cannot be run, 127 if\n' +
      'it is not found.',
    takesRest: true,
    runsProgram: true,
    load: async () => (await import('../usual-commands.ts')).lock,
  },
  {
    name: 'lease',
    group: 'Locks and leases',
    operands: '<name> [of]',
    usage: '[options] <name> -- <command> [args...] | show <name> | reset <name>',
    summary:
      'run a command while holding a lease, so that one at a time runs, on one machine or on many',
    description:
      'Waits for the lease of that name, and runs a command while holding it. The command is ended, by SIGTERM and then ' +
      'SIGKILL, before the lease can be lost, even if howdah itself is stopped or killed.\nIn its environment are ' +
      'HOWDAH_LEASE_GENERATION, the fencing token, which is higher for each holder, and HOWDAH_LEASE_OWNER.\n"show" ' +
      'says who holds the lease, without taking it. "reset" frees one that is corrupt or claims to last too long, and ' +
      'with --force one that is held: make sure first that nobody acts under it.',
    options: ['in', 'ttl', 'grace', 'timeout', 'owner', 'force', 'json', 'quiet'],
    notes:
      'Exit status: that of the command, or 128 and the number of the signal that ended it. 125 if the\n' +
      'lease was not acquired in time, was lost, or howdah itself failed, 126 if the command cannot be\n' +
      'run, 127 if it is not found.',
    takesRest: true,
    runsProgram: true,
    load: async () => (await import('../../commands/lease/lease.ts')).lease,
  },
]
