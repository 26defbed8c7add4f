import { Replica } from '../replica.ts'
import { FileStorage } from './file-storage.ts'
import { withDefaults, type Modes } from './modes.ts'
import { pathOfUrl } from './path-of-url.ts'

/**
 * A replica in a directory. It writes LTX files to `ltx/<level>/<min>-<max>.ltx`, and keeps no file open between calls.
 *
 * @example
 * const replica = FileReplica.fromUrl('file:///var/backups/app')
 * const { from, integrity } = await replica.restore({ output: '/srv/app.db' })
 */
export class FileReplica extends Replica {
  /** The replica at a `file://` URL, whose percent-encoding is decoded. Throws `ERR_REPLICA_OPTION` for any other URL. */
  static fromUrl(url: string | URL, modes: Partial<Modes> = {}): FileReplica {
    return new FileReplica(pathOfUrl(url), modes)
  }

  /** Makes no directories: they are made by the first write. */
  constructor(path: string, modes: Partial<Modes> = {}) {
    const all = withDefaults(modes)
    super(new FileStorage(path, all), all)
  }
}
