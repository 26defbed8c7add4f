import { basename } from 'node:path'
import { readSmallFile } from '../read-small-file.ts'
import { lineInJson } from './line-in-json.ts'
import type { ProjectSettings } from './project-settings.ts'
import { packageKey } from './settings-file.ts'

/** Where a file with settings has one of them, for messages: `"version" in /app/howdah.json:2`. */
export function placeOfSetting(file: string, key: keyof ProjectSettings): string {
  const path = basename(file) === 'package.json' ? [packageKey, key] : [key]
  const text = readSmallFile(file, 1_048_576)
  return `"${path.join('.')}" in ${file}${text === null ? '' : `:${lineInJson(text, path)}`}`
}
