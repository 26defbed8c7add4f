import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import { PassThrough, type Readable } from 'node:stream'
import { ShellError } from '../errors.ts'
import { sendQuery, type SendOptions } from '../running/send-query.ts'
import { openTarget, reasonOf } from '../state/open-target.ts'
import type { OutputTarget } from '../state/output-target.ts'
import type { Shell } from '../state/shell.ts'
import type { Command } from './command.ts'
import { type CopyStatement, readCopyStatement } from './copy-statement.ts'

/** `\copy`: COPY with the files and programs of this machine. */
export const copy: Command = {
  names: ['copy'],
  usage: 'TABLE FROM|TO FILE',
  summary: 'copy data from or to a file, a program, stdin or stdout',
  takesLine: true,
  async run({ shell, reader }) {
    const statement = readCopyStatement(reader.line())
    const { what, direction, options } = statement
    const stream = direction === 'from' ? 'FROM STDIN' : 'TO STDOUT'
    const query = `COPY ${what} ${stream} ${options}`.trimEnd()
    const end =
      direction === 'from' ? await openSource(shell, statement) : await openSink(shell, statement)
    let failure: string | null = null
    let succeeded = false
    try {
      succeeded = await sendQuery(shell, query, { copy: end.copy, isOwn: true })
    } finally {
      failure = await end.close()
    }
    // The status of a program counts, unless the server has failed already.
    if (succeeded && failure !== null) throw new ShellError(failure)
    return succeeded ? undefined : 'failed'
  },
}

/** The other end of a COPY. Closing it gives a complaint if it has failed. */
interface End {
  readonly copy: SendOptions['copy']
  close(): Promise<string | null>
}

async function openSource(shell: Shell, { other }: CopyStatement): Promise<End> {
  switch (other.kind) {
    case 'file': {
      const path = shell.fullPath(other.name)
      const stream = await opened(path, other.name)
      return { copy: { read: () => stream }, close: async () => await closed(stream) }
    }
    case 'program': {
      const child = await shell.spawn(other.name, { stdout: 'pipe' })
      const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
      const { stdout } = child
      if (stdout === null) throw new ShellError(`${other.name}: it has no output`)
      // Node throws away what a program has printed if nobody reads it when the program ends.
      const data = stdout.pipe(new PassThrough())
      return {
        copy: { read: () => data },
        async close() {
          stdout.destroy()
          return describeEnd(other.name, await ended)
        },
      }
    }
    case 'pstdin':
      return { copy: { read: () => shell.stdin.data() }, close: async () => await nothing }
    case 'stdin':
    case 'stdout':
    case 'pstdout':
    default:
      return {
        copy: { read: () => (shell.source ?? shell.stdin).data() },
        close: async () => await nothing,
      }
  }
}

async function openSink(shell: Shell, { other }: CopyStatement): Promise<End> {
  switch (other.kind) {
    case 'file':
      return sinkOf(await openTarget(shell, shell.fullPath(other.name)))
    case 'program': {
      const child = await shell.spawn(other.name, { stdin: 'pipe' })
      const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
      const { stdin } = child
      stdin?.on('error', () => undefined)
      return {
        copy: {
          async write(data) {
            if (stdin === null || stdin.destroyed || stdin.write(data)) return
            await Promise.race([once(stdin, 'drain'), ended])
          },
        },
        async close() {
          stdin?.end()
          return describeEnd(other.name, await ended)
        },
      }
    }
    case 'pstdout':
      return { copy: { write: shell.stdout.write }, close: async () => await nothing }
    case 'stdin':
    case 'stdout':
    case 'pstdin':
    default:
      return { copy: undefined, close: async () => await nothing }
  }
}

const nothing = Promise.resolve(null)

function sinkOf(target: OutputTarget): End {
  return {
    copy: { write: target.write },
    async close() {
      await target.close()
      return null
    },
  }
}

async function opened(path: string, name: string): Promise<Readable> {
  const stream = createReadStream(path)
  await once(stream, 'open').catch((error: Error) => {
    throw new ShellError(`${name}: ${reasonOf(error)}`)
  })
  if (!statSync(path).isDirectory()) return stream
  stream.destroy()
  throw new ShellError(`${name}: cannot copy from/to a directory`)
}

async function closed(stream: Readable): Promise<null> {
  if (!stream.closed) {
    stream.destroy()
    await once(stream, 'close')
  }
  return null
}

function describeEnd(
  command: string,
  [status, signal]: [number | null, NodeJS.Signals | null],
): string | null {
  if (status === 0) return null
  if (status !== null) return `${command}: child process exited with exit code ${status}`
  return `${command}: child process was terminated by ${signal ?? 'a signal'}`
}
