import type { CommandGuide, Guide, OptionGuide } from '@howdah/completion'
import type { Option } from 'commander'
import type { Declaration } from './command.ts'
import { declare } from './declare-option.ts'
import type { OptionName } from './options.ts'
import { commonOptions, describe, exitStatuses, summaryOf, usageOf } from './program.ts'

/** The description of the command for shell completion and the man page, from the declarations of its help. */
export function guide(version: string, commands: readonly Declaration[]): Guide {
  return {
    name: 'howdah',
    version,
    summary: 'a real PostgreSQL as easy as SQLite',
    description: `${describe}\nWithout a command it opens a shell.`,
    options: commonOptions.map(optionGuide),
    commands: commands.map(commandGuide),
    defaultCommand: 'shell',
    sections: [
      { heading: 'Exit status', text: exitStatuses },
      {
        heading: 'Environment',
        text:
          'PGDATA: the data directory, as -D\nPGDATABASE: the database, as -d\nPGUSER, PGPASSWORD: of the superuser of a new cluster\n' +
          'HOWDAH_STATE_DIR, HOWDAH_CACHE_DIR: the directories for state and for PostgreSQLs\nHOWDAH_DEBUG=1: errors have their stack',
      },
      {
        heading: 'Files',
        text:
          '.howdah/data: the cluster of the project\nhowdah.json, or "howdah" in package.json: the settings of the project\n' +
          '~/.local/state/howdah: which clusters there are',
      },
    ],
  }
}

function commandGuide(declaration: Declaration): CommandGuide {
  const { name, alias, group, operands = '', actions = [], passesThrough } = declaration
  const { options, description, notes } = declaration
  return {
    name,
    alias,
    group,
    summary: declaration.summary,
    description: [description ?? summaryOf(declaration), notes?.replaceAll('\n', ' ')]
      .filter((one) => one !== undefined)
      .join('\n'),
    usage: usageOf(declaration),
    options: options.map(optionGuide),
    words: actions,
    operands: /<path>|<dir>|\[file\]/.test(operands) ? 'file' : 'other',
    passesThrough: passesThrough ?? null,
  }
}

function optionGuide(name: OptionName | Option): OptionGuide {
  const option = declare(name)
  const { short = null, long, flags, description, argChoices = [] } = option
  const value = /[<[](.+)[>\]]/.exec(flags)?.[1] ?? null
  const kinds = { dir: 'directory', path: 'file', file: 'file', glob: 'file' } as const
  return {
    short: short ?? null,
    long: long ?? '',
    value,
    isOptional: option.optional,
    kind: value !== null && value in kinds ? kinds[value as keyof typeof kinds] : 'other',
    choices: argChoices,
    description,
  }
}
