import type { Moment } from '../holding/clocks.ts'

/** What the guard is told, a line of JSON each. */
export type GuardOrder =
  | {
      readonly type: 'run'
      readonly command: string
      readonly args: readonly string[]
      readonly cwd: string
      readonly env: Readonly<Record<string, string>>
      /** The command's standard streams and what else it gets: the guard's own descriptors, under the same numbers. */
      readonly stdio: readonly ('inherit' | 'ignore' | number)[]
      /** How long the command has between SIGTERM and SIGKILL, in milliseconds. */
      readonly grace: number
      /** When the command must have ended, unless another order moves that on. */
      readonly deadline: Moment
    }
  | { readonly type: 'deadline'; readonly deadline: Moment }
  /** SIGTERM now, SIGKILL after the grace period. */
  | { readonly type: 'end' }
  | { readonly type: 'signal'; readonly signal: NodeJS.Signals }

/** What the guard says, a line of JSON each. */
export type GuardReport =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'failed'; readonly errno: string; readonly message: string }
  | {
      readonly type: 'ended'
      readonly status: number | null
      readonly signal: NodeJS.Signals | null
      /** Whether it was ended because the deadline came near. */
      readonly late: boolean
    }

/** Calls `take` with each line's value. */
export function readLines(socket: NodeJS.ReadableStream, take: (value: unknown) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line))
  })
}
