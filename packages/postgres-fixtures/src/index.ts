export { leaveBusyBackend } from './busy-backend.ts'
export { countInitdb } from './count-initdb.ts'
export { everything, roles } from './everything.ts'
export { killedInTime } from './killed-in-time.ts'
export { everyPostgres, newest, somePostgres, type Subject } from './postgres.ts'
export {
  isLeft,
  postmastersOf,
  processesBelow,
  serversBelow,
  type SharedMemory,
} from './postmasters.ts'
export { outlivesItsFiles } from './outlives-its-files.ts'
export { processOf } from './process-of.ts'
export { startupOf } from './startup-of.ts'
export { Worker } from './worker.ts'
export { readRows, Writer, type Written } from './writer.ts'
export type { Connectable } from './connectable.ts'
