export { coordinationPaths } from './coordination-paths.ts'
export { DataDirectory, isStaging } from './data-directory.ts'
export {
  ClusterError,
  type ClusterErrorCode,
  type ClusterErrorFields,
  type ClusterUser,
  type DatabaseUser,
} from './cluster-error.ts'
export {
  damagedControlFile,
  diskFull,
  indent,
  invalidSetting,
  invalidPath,
  malformedVersion,
  noServerUser,
  notPermitted,
  startFailed,
  unknownStatus,
} from './errors.ts'
export { wasShutDown } from './files/control-file.ts'
export { explain } from './files/explain.ts'
export { followLog, type LogOptions } from './files/follow-log.ts'
export { openLog, readLog } from './files/log-file.ts'
export { type Mark, readMark, writeMark } from './files/mark.ts'
export { open } from './files/open-file.ts'
export { temporaryOf, writeOwnFile } from './files/own-file.ts'
export { type PostmasterPid, readPostmasterPid } from './files/postmaster-pid.ts'
export { quote, shellWord } from './files/quote.ts'
export { readIfThere } from './files/read-if-there.ts'
export {
  newSystemIdentifier,
  readSystemIdentifier,
  writeSystemIdentifier,
} from './files/system-identifier.ts'
export { refuseOtherMajor } from './files/refuse-other-major.ts'
export { readVersion } from './files/version-file.ts'
export { abandonedSegments, type DynamicSegment } from './memory/dynamic-segments.ts'
export { leftSegment, removeSegment } from './memory/left-segment.ts'
export { segments } from './memory/segments.ts'
export { endOrphans } from './processes/orphans.ts'
export {
  isChild,
  type PostgresProcess,
  postgresProcesses,
  processesIn,
  type WorkingProcess,
} from './processes/postgres-processes.ts'
export { seesAllProcesses } from './processes/sees-all-processes.ts'
export { serverWorkingIn } from './processes/server-working-in.ts'
export { explained, explainedByLog } from './refusal/explained.ts'
export { refuseSandbox } from './refusal/refuse-sandbox.ts'
export { giveBackMemory, type Removal, takeBackAbandoned } from './server/abandoned.ts'
export { acceptsSsl } from './server/accepts-ssl.ts'
export { messages, startup, terminate } from './server/protocol.ts'
export { hasGivenUp } from './server/has-given-up.ts'
export { isLost } from './server/is-lost.ts'
export { removeLeftFiles, socketLocks } from './server/left-files.ts'
export { findPostmaster, type Postmaster } from './server/postmaster.ts'
export { refuseHardLinks } from './server/refuse-hard-links.ts'
export { refuseServed } from './server/refuse-served.ts'
export { requireWhole } from './server/require-whole.ts'
export { linkDirectories, reachableSocketDirectory } from './server/socket-path.ts'
export { type Template, TemplateCache } from './template/template-cache.ts'
export { completing, renaming, shippedSuperuser } from './template/completing.ts'
export { packShippedTemplate, unpackShippedTemplate } from './template/shipped-template.ts'
export { type TemplateKey, templateKey } from './template/template-key.ts'
export { superusersWhileStopped } from './user/superusers-while-stopped.ts'
export { syncToDisk } from './user/sync-to-disk.ts'
export { Ground } from './tree/ground.ts'
export {
  type Descriptor,
  HeldDirectory,
  isByDescriptor,
  type Owner,
  pathOf,
} from './tree/held-directory.ts'
export { realByOwnLinks } from './tree/real-by-own-links.ts'
export { emptyDirectory, removeTree } from './tree/remove-tree.ts'
export { checkAccess, closedAbove } from './user/access.ts'
export { serverEnvironment, withoutConnection } from './user/environment.ts'
export { reach } from './user/reach.ts'
export { type ProgramResult, runServerProgram } from './user/server-program.ts'
export type { ServerUser } from './user/server-user.ts'
export { chooseServerUser, nameOfUserOf } from './user/choose-server-user.ts'
export { singleUserArguments } from './user/single-user-arguments.ts'
export {
  type SettingContext,
  type SettingFacts,
  type TypedValue,
  type Setting,
  type SettingRow,
  settingOf,
} from './settings/setting.ts'
export { leanSettings } from './settings/lean-settings.ts'
export { type SettingValue, valuesFor } from './settings/setting-value.ts'
export { checkStartSetting, checkKeptSetting, checkSettingName } from './settings/setting-name.ts'
export { writeThrough } from './settings/write-through.ts'
export { portTaken, saysPortTaken } from './processes/port-taken.ts'
export { type HowStarted, howStarted } from './files/how-started.ts'
