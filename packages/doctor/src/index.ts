export { diagnose, type DiagnoseOptions } from './diagnose.ts'
export {
  type CheckName,
  type Finding,
  type FindingSubject,
  isWrong,
  type Severity,
} from './finding.ts'
export { turboFinding } from './turbo-finding.ts'
