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
export { endServer, type EndServerOptions, type ServerEnd } from './end-server.ts'
export { Guard, type GuardOptions } from './guard.ts'
export type { JoinOptions, StartOptions } from './join.ts'
export type { Launch, LaunchRequest, Stdio } from './launch.ts'
export type { LeaveOptions, Left } from './leave.ts'
export { ownership, pin, unpin, type Ownership, type UnpinOptions } from './pin.ts'
export type { Place, ThrowAway } from './place.ts'
export type { ServerRecord, StopSignal } from './server-record.ts'
export { readRecord } from './record.ts'
export { Stillness } from './stillness.ts'
export { runAndDestroy, runAndStop, runAndStopIfExists, type Action } from './run.ts'
export { Exclusive, Free, Shared, type ChangeOptions } from './states.ts'
export type { Creation, Ending, State, Subject } from './subject.ts'
export { isServed, refuseUnseen, type Served } from './server-lock.ts'
export type { User } from './user.ts'
export { users } from './users.ts'
export type { Wait, WaitOptions } from './waiting.ts'
export type { WatchdogKind } from './watchdog.ts'
