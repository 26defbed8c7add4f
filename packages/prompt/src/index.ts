export type { Host, Script, ShellOptions } from './host.ts'
export { runShell } from './run-shell.ts'
