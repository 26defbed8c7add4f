/** The files that somebody has checked out of a repository. */
export interface WorkTree {
  /** Its highest directory. */
  readonly top: string
  /** A linked one shares the repository of another work tree; a submodule is part of another one. */
  readonly kind: 'work-tree' | 'linked-worktree' | 'submodule'
  /** The top of the work tree that a linked one was made from; `null` if it is missing, or not known. */
  readonly main: string | null
  /** The file that says what is checked out, as git or Mercurial write it; `null` if there is none. */
  readonly head: string | null
}
