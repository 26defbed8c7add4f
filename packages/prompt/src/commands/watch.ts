import { setTimeout as sleep } from 'node:timers/promises'
import { ShellError } from '../errors.ts'
import { sendQuery } from '../running/send-query.ts'
import type { Command, CommandContext } from './command.ts'

/** `\watch`: sends the query again and again. */
export const watch: Command = {
  names: ['watch'],
  usage: '[i=SECONDS] [c=TIMES]',
  summary: 'send the query again and again, every 2 seconds, until Ctrl-C',
  async run({ shell, reader, run }) {
    const { seconds, times } = await readOptions(reader)
    const query = run?.scanner.query || shell.lastQuery
    if (run !== null) run.scanner.query = ''
    if (query === '') throw new ShellError(String.raw`\watch cannot be used with an empty query`)
    const { signal } = shell.interruption
    for (let time = 1; !signal.aborted && shell.ended === null; time += 1) {
      const now = `${inWords(new Date())} (every ${seconds}s)\n`
      const title = shell.print.title === null ? now : `${shell.print.title}\t${now}`
      if (!(await sendQuery(shell, query, { print: { title } }))) return 'failed'
      if (time === times) break
      await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined)
    }
    return undefined
  },
}

async function readOptions(
  reader: CommandContext['reader'],
): Promise<{ seconds: number; times: number }> {
  let seconds = 2
  let times = Infinity
  for (const word of await reader.words()) {
    const [, name = 'i', value = ''] = /^(?:([ic])=)?(.*)$/s.exec(word) ?? []
    if (name === 'i') {
      seconds = Number(value)
      if (value === '' || !(seconds >= 0))
        throw new ShellError(String.raw`\watch: ` + `incorrect interval value "${value}"`)
    } else {
      times = Number(value)
      if (!/^[1-9]\d*$/.test(value))
        throw new ShellError(String.raw`\watch: ` + `incorrect iteration count "${value}"`)
    }
  }
  return { seconds, times }
}

/** As ctime(3) has it. */
function inWords(date: Date): string {
  const [, day = '', month = '', number = '', year = '', time = ''] =
    /^(\w+) (\w+) (\d+) (\d+) ([\d:]+)/.exec(date.toString()) ?? []
  return `${day} ${month} ${number.replace(/^0/, ' ')} ${time} ${year}`
}
