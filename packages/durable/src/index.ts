export { findProgram, type FindProgramOptions } from './find-program.ts'
export { errno } from './errno.ts'
export { inheritedDescriptors, stdioOf, stillOpen } from './inherited-descriptors.ts'
export { isSystemError } from './is-system-error.ts'
export { keepAttributes, keepExtendedAttributes } from './keep-attributes.ts'
export { namesIn } from './names-in.ts'
export { nearestReal, realAsFarAsThere } from './nearest-real.ts'
export {
  NotPlainError,
  openPlainFile,
  openPlainFileSync,
  readPlainBytes,
  readPlainFile,
  type PlainFileOptions,
  type PlainReadOptions,
} from './plain-file.ts'
export { publishFile, type Publishing } from './publish-file.ts'
export { syncDirectory, syncFile } from './sync.ts'
export { isTemporaryName, temporaryName } from './temporary-name.ts'
export { writeNewFile, type NewFile } from './write-new-file.ts'
