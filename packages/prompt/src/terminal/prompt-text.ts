import type { Unfinished } from '../scanning/query-scanner.ts'
import type { Shell } from '../state/shell.ts'

/** The text of a prompt, from its template in a variable; psql's page in PostgreSQL's manual, "Prompting". */
export function promptText(
  shell: Shell,
  name: 'PROMPT1' | 'PROMPT2' | 'PROMPT3',
  unfinished: Unfinished,
): string {
  const template = shell.variables.get(name) ?? ''
  return template.replaceAll(
    /%(?:([0-7]{1,3})|:([^:]*):|`[^`]*`|(.))/gsu,
    (_, octal?: string, variable?: string, letter?: string) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
      if (variable !== undefined) return shell.variables.get(variable) ?? ''
      return letter === undefined ? '' : valueOf(shell, letter, unfinished)
    },
  )
}

function valueOf(shell: Shell, letter: string, unfinished: Unfinished): string {
  const { connection } = shell
  switch (letter) {
    case '/':
      return connection?.database ?? ''
    case '~':
      return connection?.database === connection?.facts.user ? '~' : (connection?.database ?? '')
    case 'n':
      return connection?.facts.user ?? ''
    case 'M':
    case 'm': {
      const host = connection?.place.host ?? ''
      return host.startsWith('/') ? '[local]' : host
    }
    case '>':
      return String(connection?.place.port ?? '')
    case 'p':
      return String(connection?.facts.pid ?? '')
    case 'l':
      return String((shell.source?.line ?? 0) + 1)
    case 'R':
      return connection === null ? '!' : unfinished
    case 'x':
      if (connection === null) return '?'
      return { none: '', open: '*', failed: '!' }[connection.transaction]
    case '#':
      return connection?.isSuperuser === true ? '#' : '>'
    case '[':
    case ']':
      // Readline finds out itself what is not visible.
      return ''
    case '%':
      return '%'
    default:
      return ''
  }
}
