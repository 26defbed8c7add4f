import type { Moment } from '../holding/clocks.ts'

/** The orders that the guard gets, each as a line of JSON. */
export type GuardOrder =
  | {
      readonly type: 'run'
      readonly command: string
      readonly args: readonly string[]
      readonly cwd: string
      readonly env: Readonly<Record<string, string>>
      /**
       * The command's standard streams and further descriptors. They are the guard's own descriptors, under the same
       * numbers.
       */
      readonly stdio: readonly ('inherit' | 'ignore' | number)[]
      /** How long the command has between SIGTERM and SIGKILL, in milliseconds. */
      readonly grace: number
      /** The moment by which the command must have ended, unless another order moves it. */
      readonly deadline: Moment
    }
  | { readonly type: 'deadline'; readonly deadline: Moment }
  /** SIGTERM now, SIGKILL after the grace period. */
  | { readonly type: 'end' }
  | { readonly type: 'signal'; readonly signal: NodeJS.Signals }

/** The reports of the guard, each as a line of JSON. */
export type GuardReport =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'failed'; readonly errno: string; readonly message: string }
  | {
      readonly type: 'ended'
      readonly status: number | null
      readonly signal: NodeJS.Signals | null
      /** Whether the guard ended the command because of the deadline. */
      readonly late: boolean
    }

/** Parses each line of a stream as JSON, and calls `take` with the value. */
export function readLines(socket: NodeJS.ReadableStream, take: (value: unknown) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line))
  })
}
