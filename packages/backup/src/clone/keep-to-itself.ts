import {
  type DataDirectory,
  readIfThere,
  runServerProgram,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import type { Runtime } from '@howdah/runtime'
import { backupUnsupported } from '../errors.ts'

/** Settings by which a copy would act in the place of its original, with the values that prevent this. */
const neutral = { archive_mode: 'off', synchronous_standby_names: '' } as const

/**
 * Throws `ERR_CLUSTER_BACKUP_UNSUPPORTED` if `postgresql.conf` sets `data_directory`, because a server on the copy would then
 * work on the original.
 */
export async function refuseElsewhere(directory: DataDirectory): Promise<void> {
  const text = readIfThere(directory.file('postgresql.conf')) ?? ''
  if (!/^\s*data_directory\b/m.test(text)) return
  const why =
    'its postgresql.conf has data_directory, so that a copy would run on the original; remove that line'
  throw backupUnsupported(directory.path, why)
}

/**
 * Keeps a copy from archiving into the original's archive and from waiting for the original's standbys, even if these
 * settings are in the configuration files and do not come from `ALTER SYSTEM`. The copy must be stopped.
 *
 * A server program is run only if the files name one of the two settings, or include further files.
 */
export async function keepToItself(
  copy: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<void> {
  if (!mayTellOtherwise(copy)) return
  const lines = await Promise.all(
    Object.entries(neutral).map(async ([name, value]) => {
      const { stdout, succeeded } = await runServerProgram(runtime, 'postgres', {
        user,
        path: copy.path,
        args: (path) => ['-C', name, '-D', path],
      })
      return succeeded && stdout.trim() === value ? '' : `${name} = '${value}'\n`
    }),
  )
  const added = lines.join('')
  if (added === '') return
  const path = copy.file('postgresql.auto.conf')
  const text = readIfThere(path) ?? ''
  // If several lines set a setting, the last one counts.
  await writeOwnFile(path, `${text}${added}`, user)
}

function mayTellOtherwise(copy: DataDirectory): boolean {
  const files = ['postgresql.conf', 'postgresql.auto.conf'].map((name) => copy.file(name))
  const telling = /^\s*(?:archive_mode|synchronous_standby_names|include)/im
  return files.some((file) => telling.test(readIfThere(file) ?? ''))
}
