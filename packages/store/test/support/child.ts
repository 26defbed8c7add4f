import { Child as AnyChild } from '@howdah/fixtures'

/** A process that runs `test/child/<name>.mjs`. */
export class Child extends AnyChild {
  constructor(name: string, args: (string | number)[] = [], nodeOptions: string[] = []) {
    super(new URL(`../child/${name}.mjs`, import.meta.url), args, nodeOptions)
  }
}
