import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The servers that work below a path, or worked there when it was removed. */
export function serversOf(path: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return (
          command.includes('/postgres\0-D') && readlinkSync(`/proc/${pid}/cwd`).startsWith(path)
        )
      } catch {
        return false
      }
    })
}
