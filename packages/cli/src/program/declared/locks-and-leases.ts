import type { Declaration } from '../command.ts'

/** The commands below "Locks and leases" in the help. */
export const lockAndLeaseCommands: readonly Declaration[] = [
  {
    name: 'lock',
    group: 'Locks and leases',
    operands: '<path>',
    usage: '[options] <path> [<command> [args...]]',
    summary: 'run a command while holding a lock on a file or directory, or print its holders',
    description:
      'Waits for the lock on a directory or on a file, which is made if it is missing, and runs a command while holding the lock. ' +
      'The lock is one of flock(2), so it also excludes flock(1). The command inherits it, so the lock lasts until the command ' +
      'and all processes that it has started have ended, even if howdah itself is killed. With --close only howdah has the ' +
      'lock. -n, -w, -s, -o and -c are those of flock(1).\nWithout a command, prints who holds the lock and who waits for it, without taking it (on Linux).',
    options: ['shared', 'close', 'nonblock', 'timeout', 'wait', 'shellCommand', 'json', 'quiet'],
    notes:
      'Exit status: that of the command, or 128 and the number of the signal that ended it. 125 if the\n' +
      'lock was not acquired in time, or howdah itself failed, 126 if the command cannot be run, 127 if\n' +
      'it is not found.',
    passesThrough: 1,
    takesRest: true,
    runsProgram: true,
    load: async () => (await import('../usual-commands.ts')).lock,
  },
  {
    name: 'lease',
    group: 'Locks and leases',
    operands: '<name> [of]',
    actions: ['show', 'reset'],
    usage: '[options] <name> -- <command> [args...] | show <name> | reset <name>',
    summary:
      'run a command while holding a lease, so that one command at a time runs on all machines',
    description:
      'Waits for the lease of that name, and runs a command while holding it. Before the lease can be lost, the command is ended ' +
      'by SIGTERM and then SIGKILL, even if howdah itself is suspended or killed.\nThe environment of the command has ' +
      'HOWDAH_LEASE_OWNER and HOWDAH_LEASE_GENERATION, the fencing token, which is higher for each holder.\n"show" prints who ' +
      'holds the lease, without taking it. "reset" frees a lease that is corrupt or claims to last too long, and with --force ' +
      'one that is held: first make sure that nobody acts under it.',
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
