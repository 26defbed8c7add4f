export {
  CoordinateError,
  DoesNotExistError,
  InUseElsewhereError,
  InUseError,
  LaunchError,
  NotRunningError,
  OptionError,
  PlaceError,
  RecordError,
  TimeoutError,
  UnsupportedError,
  UsedUpError,
  WatchdogError,
  type CoordinateErrorCode,
} from './errors.ts'
export { endServer, type EndServerOptions, type ServerEnd } from './ending/end-server.ts'
export { Guard, type GuardOptions } from './watchdog/guard.ts'
export type { JoinOptions, StartOptions } from './joining/join.ts'
export type { Launch, LaunchRequest, Stdio } from './launch/launch.ts'
export type { LeaveOptions, Left } from './joining/leave.ts'
export { ownership, pin, unpin, type Ownership, type UnpinOptions } from './record/pin.ts'
export type { Place, ThrowAway } from './place.ts'
export type { ServerRecord, StopSignal } from './record/server-record.ts'
export { readRecord } from './record/record.ts'
export { Stillness } from './ending/stillness.ts'
export { runAndDestroy, runAndStop, runAndStopIfExists, type Action } from './joining/run.ts'
export { Exclusive, Free, Shared, type ChangeOptions } from './joining/states.ts'
export type { Creation, Ending, State, Subject } from './subject.ts'
export { isServed, refuseUnseen, type Served } from './launch/server-lock.ts'
export type { User } from './user.ts'
export { users } from './users.ts'
export type { Wait, WaitOptions } from './joining/waiting.ts'
export type { WatchdogKind } from './watchdog/watchdog.ts'
