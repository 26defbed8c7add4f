import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { bashCompletion, fishCompletion, manPage, zshCompletion } from '../src/index.ts'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { guide } from './guide.ts'

const isHere = (program: string) =>
  ['/bin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'].some((bin) =>
    existsSync(`${bin}/${program}`),
  )

/** What is completed: the line, and what may stand at its end. */
const cases: [line: string, expected: string[]][] = [
  ['try ', ['go', 'run', 'walk', 'set']],
  ['try ru', ['run']],
  ['try -D here/ wa', ['walk']],
  ['try go --', ['--dir', '--fast', '--file', '--help', '--mode', '--tcp']],
  ['try go --mode ', ['fast', 'slow']],
  ['try go --mode s', ['slow']],
  ['try go -D ', ['a b/', 'here/']],
  ['try go --file h', ['here/', 'hidden.txt']],
  ['try --dir here/ go --mode f', ['fast']],
  ['try set ', ['one', 'two']],
  ['try set one ', []],
  ['try walk ', ['a b/', 'here/', 'hidden.txt']],
  ['try --tcp wal', ['walk']],
]

function withFiles() {
  const home = temporaryDirectory()
  mkdirSync(home.file('here'))
  mkdirSync(home.file('a b'))
  writeFileSync(home.file('hidden.txt'), '')
  return home
}

describe('in bash', () => {
  const complete = (line: string) => {
    using home = withFiles()
    writeFileSync(home.file('.completion'), bashCompletion(guide))
    const script = `
      . ./.completion
      COMP_WORDS=(); while IFS= read -r word; do COMP_WORDS+=("$word"); done
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      $(complete -p try | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      for one in "\${COMPREPLY[@]}"; do [[ -d $one && $one != */ ]] && one=$one/; printf '%s\\n' "$one"; done`
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
      cwd: home.path,
      input: `${line.split(' ').join('\n')}\n`,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((word) => word !== '')
  }

  test.skipIf(!isHere('bash')).each(cases)('%j (skipped without bash)', (line, expected) => {
    const found = complete(line).filter(
      (word) => word !== '.completion' && word !== 'help' && word !== 'psql',
    )
    expect(found.toSorted()).toEqual(expected.toSorted())
  })

  test.skipIf(!isHere('bash'))('after exec come programs, and then their files', () => {
    expect(complete('try run bas')).toContain('bash')
    expect(complete('try run -- bas')).toContain('bash')
    expect(complete('try run cat h').toSorted()).toEqual(['here/', 'hidden.txt'])
    expect(complete('try run -D here/ cat --mode ')).not.toContain('fast')
  })
})

describe('in zsh', () => {
  /** Presses Tab in a zsh of its own terminal, where "compadd" writes down the words that match. */
  const driver = [
    'zmodload zsh/zpty',
    'zpty z zsh -f -i',
    'zpty -w z "PS1=; source ./.driven"',
    'zpty -r -m z _ "*READY*"',
    'zpty -n -w z "$1"$\'\\t\'',
    'zpty -r -m z _ "*DONE*"',
    'zpty -d z',
  ].join('\n')
  const driven = [
    'autoload -Uz compinit && compinit -u -D',
    'source ./.completion',
    "zstyle ':completion:*' completer _complete",
    'compadd() {',
    '  local -a found plain',
    '  local -A marks',
    '  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi',
    '  builtin compadd -O found "$@"',
    '  (( ${#found} )) && print -rl -- "${found[@]}" >>.found',
    '  builtin compadd "$@"',
    '}',
    'finish() { zle complete-word; print DONE }',
    'zle -N finish',
    "bindkey '^I' finish",
    'print READY',
  ].join('\n')
  const complete = (line: string) => {
    using home = withFiles()
    writeFileSync(home.file('.completion'), zshCompletion(guide))
    writeFileSync(home.file('.driven'), driven)
    spawnSync('zsh', ['-f', '-c', driver, 'zsh', line], { cwd: home.path, timeout: 20_000 })
    const found = existsSync(home.file('.found')) ? readFileSync(home.file('.found'), 'utf8') : ''
    // As they are inserted, a space is escaped.
    const words = found.replaceAll('\\ ', ' ').split('\n')
    return [...new Set(words.filter((word) => word !== ''))]
  }

  test.skipIf(!isHere('zsh')).each(cases)('%j (skipped without zsh)', (line, expected) => {
    const slashless = expected.map((word) => word.replace(/\/$/, ''))
    const found = complete(line).filter((word) => word !== 'psql')
    expect(found.map((word) => word.replace(/\/$/, '')).toSorted()).toEqual(slashless.toSorted())
  })
})

describe('in fish', () => {
  const complete = (line: string) => {
    using home = withFiles()
    writeFileSync(home.file('.completion'), fishCompletion(guide))
    const script = 'source .completion; complete -C $argv[1]'
    const stdout = execFileSync('fish', ['--no-config', '-c', script, line], {
      cwd: home.path,
      encoding: 'utf8',
      env: { ...process.env, HOME: home.path },
    })
    return stdout
      .split('\n')
      .flatMap((one) => one.split('\t')[0] ?? [])
      .filter((word) => word !== '')
  }

  test.skipIf(!isHere('fish')).each(cases)('%j (skipped without fish)', (line, expected) => {
    const found = complete(line).filter((word) => word !== 'help' && word !== 'psql')
    expect(found.toSorted()).toEqual(expected.toSorted())
  })
})

describe('the man page', () => {
  test.skipIf(!isHere('groff'))('is formatted without a warning (skipped without groff)', () => {
    const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-P-cbou'], {
      input: manPage(guide),
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    for (const words of [
      'TRY(1)',
      "it's",
      '--mode',
      '.hidden at the start',
      String.raw`back\slash`,
    ])
      expect(stdout).toContain(words)
  })
})
