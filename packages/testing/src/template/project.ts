import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The name of a project, which distinguishes its templates from those of another project with the same migrations. It has the
 * name in the nearest `package.json`, and the path, because a name such as `app` is not unique.
 */
export async function projectName(root: string): Promise<string> {
  for (let directory = root; ; directory = dirname(directory)) {
    const text = await readFile(join(directory, 'package.json'), 'utf8').catch(() => null)
    if (text !== null) return `${nameIn(text)} in ${root}`
    if (directory === dirname(directory)) return root
  }
}

function nameIn(manifest: string): string {
  try {
    const { name } = JSON.parse(manifest) as { name?: unknown }
    return typeof name === 'string' ? name : 'a project'
  } catch {
    return 'a project'
  }
}
