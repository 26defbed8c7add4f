export { type AvailableVersion, availableVersions } from './available-versions.ts'
export { bundled, type BundledOptions } from './bundled.ts'
export type { TreeOptions } from './bundled-tree.ts'
export { cacheDirectory } from './cache-directory.ts'
export { chain } from './chain.ts'
export {
  all,
  any,
  anything,
  type Constraint,
  describeConstraint,
  glob,
  not,
  nothing,
  satisfies,
  version,
} from './constraint.ts'
export { defaultStrategy, type DefaultStrategyOptions } from './default-strategy.ts'
export type { DirectoriesOptions } from './directories-strategy.ts'
export { RuntimeError } from './runtime-error.ts'
export { VersionError } from './version-error.ts'
export {
  CacheDirectoryError,
  ConstraintError,
  NoRuntimeError,
  NotARuntimeError,
  PackageError,
  ProgramMissingError,
  RuntimeInUseError,
  UnreachableError,
  UnsupportedPlatformError,
  UntrustedDirectoryError,
} from './errors.ts'
export {
  DiskFullError,
  InstallError,
  IntegrityError,
  MuslError,
  NpmMissingError,
  OfflineError,
  UnknownVersionError,
} from './install-errors.ts'
export { type InstallOptions, type InstallProgress, installRuntime } from './install-runtime.ts'
export { installed, type InstalledOptions } from './installed.ts'
export type { NpmOptions } from './npm.ts'
export { onEnvironmentPath, onPath } from './on-path.ts'
export { onPlatform, type PlatformOptions } from './on-platform.ts'
export { parseConstraint } from './parse-constraint.ts'
export { PartialVersion } from './partial-version.ts'
export { removeRuntime, type RemoveOptions } from './remove-runtime.ts'
export type { RuntimeProblem } from './runtime-problem.ts'
export { Runtime } from './runtime.ts'
export type { ServerUser } from './server-user.ts'
export { single } from './single.ts'
export type { Diagnosis, Strategy } from './strategy.ts'
export { existingTrustedDirectory, trustedDirectory } from './trusted-directory.ts'
export { type Prerelease, Version } from './version.ts'
