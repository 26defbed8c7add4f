export { type AvailableVersion, availableVersions } from './version/available-versions.ts'
export { bundled, type BundledOptions } from './strategy/bundled.ts'
export type { TreeOptions } from './install/bundled-tree.ts'
export { cacheDirectory } from './machine/cache-directory.ts'
export { chain } from './strategy/chain.ts'
export { all, any, not } from './version/combine-constraints.ts'
export {
  anything,
  type Constraint,
  directory,
  glob,
  nothing,
  version,
} from './version/constraint.ts'
export { type ConstraintLike, constraintOf } from './version/constraint-like.ts'
export { describeConstraint, satisfies } from './version/satisfies.ts'
export { runtimeIn, selectRuntime } from './strategy/select-runtime.ts'
export { defaultStrategy, type DefaultStrategyOptions } from './strategy/default-strategy.ts'
export type { DirectoriesOptions } from './strategy/directories-strategy.ts'
export { RuntimeError, type RuntimeErrorCode, noRuntime } from './errors.ts'
export {
  type InstallOptions,
  type InstallProgress,
  installRuntime,
} from './install/install-runtime.ts'
export { installed, type InstalledOptions } from './strategy/installed.ts'
export type { NpmOptions } from './install/npm.ts'
export { onEnvironmentPath, onPath } from './strategy/on-path.ts'
export { onPlatform, type PlatformOptions } from './strategy/on-platform.ts'
export { parseConstraint } from './version/parse-constraint.ts'
export { PartialVersion } from './version/partial-version.ts'
export { removeRuntime, type RemoveOptions } from './install/remove-runtime.ts'
export type { RuntimeProblem } from './runtime-problem.ts'
export { Runtime } from './runtime.ts'
export type { ServerUser } from './machine/server-user.ts'
export { single } from './strategy/single.ts'
export type { Diagnosis, Strategy } from './strategy/strategy.ts'
export { existingTrustedDirectory, trustedDirectory } from './machine/trusted-directory.ts'
export { type Prerelease, Version } from './version/version.ts'
