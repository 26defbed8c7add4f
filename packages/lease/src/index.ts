export {
  runCommandWithLease,
  type CommandOptions,
  type CommandResult,
  type RunningCommand,
} from './command/run-command-with-lease.ts'
export type { Clocks, Moment } from './holding/clocks.ts'
export { LeaseError, type LeaseErrorCode } from './errors.ts'
export { createFileLeaser, type FileLeaserOptions } from './file/create-file-leaser.ts'
export type { Held } from './holding/held.ts'
export type { HoldOptions } from './holding/hold-options.ts'
export { hold } from './holding/hold.ts'
export type { Lease, LeaseReference } from './lease.ts'
export type { Leaser, LeaseRequest, LeaserOptions, LeaseState } from './leaser.ts'
export type { Logger } from './logger.ts'
export { runWithLease } from './holding/run-with-lease.ts'
