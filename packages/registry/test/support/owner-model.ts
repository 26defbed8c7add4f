import { dirname } from 'node:path'
import type { ScopeRule } from '../../src/index.ts'

/** What the model knows of an allocation. */
export interface Member {
  readonly name: string
  readonly pid: number
  readonly allow: readonly ScopeRule[]
  readonly deny: readonly ScopeRule[]
  readonly parent: string | undefined
  readonly segmentId: number | undefined
  readonly reserved: boolean
}

/**
 * Who may write each path of a small tree, told by looking at every one of its paths.
 *
 * The tree is deeper than the rules by two levels, and each directory has a name that no rule mentions: so what holds of
 * its paths holds of all.
 */
export class OwnerModel {
  readonly paths: readonly string[]
  members: Member[] = []

  constructor(root: string, names: string[], depth: number) {
    const paths = [root]
    let level = [root]
    for (let below = 0; below < depth; below++) {
      level = level.flatMap((path) => names.map((name) => `${path}/${name}`))
      paths.push(...level)
    }
    this.paths = paths
  }

  find(name: string): Member | undefined {
    return this.members.find((member) => member.name === name)
  }

  /** What registering must say. */
  register(member: Member): string {
    if (this.find(member.name)) return 'ERR_REGISTRY_DUPLICATE'
    if (this.#holdsSegment(member)) return 'ERR_REGISTRY_SEGMENT_HELD'
    if (this.#clashes(member, this.members)) return 'ERR_REGISTRY_CONFLICT'
    this.members.push(member)
    return 'done'
  }

  /** What delegating must say. */
  delegate(member: Member): string {
    const parent = this.find(member.parent!)
    if (!parent) return 'ERR_REGISTRY_UNKNOWN_PARENT'
    if (this.find(member.name)) return 'ERR_REGISTRY_DUPLICATE'
    if (this.#holdsSegment(member)) return 'ERR_REGISTRY_SEGMENT_HELD'
    const below = this.#below(parent)
    for (const path of this.paths) {
      if (!may(member, path) || this.#effectively(parent, path)) continue
      const another = below.some((other) => may(other, path))
      if (!may(parent, path) || !another) return 'ERR_REGISTRY_NOT_A_SUBSET'
    }
    if (this.#clashes(member, below)) return 'ERR_REGISTRY_CONFLICT'
    this.members.push(member)
    return 'done'
  }

  /** What adopting with the right token must say. */
  adopt(name: string, pid: number, segmentId: number | undefined): string {
    const member = this.find(name)
    if (!member) return 'ERR_REGISTRY_UNKNOWN'
    if (!member.reserved) return 'ERR_REGISTRY_NOT_RESERVED'
    const adopted = { ...member, pid, reserved: false, segmentId: segmentId ?? member.segmentId }
    if (this.#holdsSegment({ ...adopted, segmentId })) return 'ERR_REGISTRY_SEGMENT_HELD'
    this.members = this.members.map((other) => (other === member ? adopted : other))
    return 'done'
  }

  /** Removes one after the other, and gives the parts of each to what it was a part of. */
  remove(gone: (member: Member) => boolean): void {
    for (let found = this.members.find(gone); found; found = this.members.find(gone)) {
      const { name, parent } = found
      this.members = this.members
        .filter((member) => member.name !== name)
        .map((member) => (member.parent === name ? reparented(member, parent) : member))
    }
  }

  /** Everybody who effectively may write a path. */
  owners(path: string): string[] {
    return this.members.filter((member) => this.#effectively(member, path)).map(({ name }) => name)
  }

  #effectively(member: Member, path: string): boolean {
    return may(member, path) && !this.#below(member).some(({ allow }) => covered(allow, path))
  }

  #below(member: Member): Member[] {
    const children = this.members.filter(({ parent }) => parent === member.name)
    return children.concat(children.flatMap((child) => this.#below(child)))
  }

  #holdsSegment({ name, segmentId }: Member): boolean {
    return (
      segmentId !== undefined &&
      this.members.some((other) => other.segmentId === segmentId && other.name !== name)
    )
  }

  #clashes(member: Member, others: readonly Member[]): boolean {
    return this.paths.some((path) => may(member, path) && others.some((other) => may(other, path)))
  }
}

function reparented(member: Member, parent: string | undefined): Member {
  return { ...member, parent }
}

function may({ allow, deny }: Pick<Member, 'allow' | 'deny'>, path: string): boolean {
  return covered(allow, path) && !covered(deny, path)
}

function covered(rules: readonly ScopeRule[], path: string): boolean {
  return rules.some(
    ({ permission, recursive, target }) =>
      permission === 'write' &&
      (path === target || (recursive ? path.startsWith(`${target}/`) : dirname(path) === target)),
  )
}
