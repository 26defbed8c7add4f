export { CliError, ForeignDirectoryError, UsageError } from './errors.ts'
export { exitStatus } from './exit-status.ts'
export type { Io, SignalSource } from './io.ts'
export { main } from './main.ts'
