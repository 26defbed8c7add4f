export {
  branchDirectory,
  branchIn,
  type BranchPlace,
  branchPlaceOf,
  mainBranch,
  problemOfBranch,
} from './branch-place.ts'
export { branchOf } from './branch-of.ts'
export { ProjectError } from './errors.ts'
export { makeHowdahDirectory, missing, problemOf } from './howdah-directory.ts'
export { findProject, type FindOptions, type Project, type ProjectKind } from './project.ts'
export { placeOfSetting } from './settings/place-of-setting.ts'
export type {
  DatabaseSettings,
  ProjectSettings,
  RoleSettings,
  ScriptSource,
  SecretSource,
  TcpSettings,
  WorktreeMode,
} from './settings/project-settings.ts'
export type { WorkTree } from './work-tree.ts'
