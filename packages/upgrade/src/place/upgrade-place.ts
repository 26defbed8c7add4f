import { realpathSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The directories of an upgrade, which lie beside the data directory. */
export class UpgradePlace {
  /** The real path of the data directory. */
  readonly dataDir: string
  /** Where the new cluster is made. After the swap the old one is here for a moment. */
  readonly making: string

  constructor(dataDir: string) {
    this.dataDir = realpathSync(dataDir)
    this.making = `${this.dataDir}.upgrade`
  }

  /** Where the old cluster of a major is kept. */
  former(major: number): string {
    return `${this.dataDir}.pg${major}`
  }

  /** The old clusters that are kept here, with their majors. */
  formers(): { path: string; major: number }[] {
    const above = dirname(this.dataDir)
    const prefix = `${basename(this.dataDir)}.pg`
    return readdirSync(above)
      .filter((name) => name.startsWith(prefix) && /^\d\d$/.test(name.slice(prefix.length)))
      .map((name) => ({ path: join(above, name), major: Number(name.slice(prefix.length)) }))
  }
}
