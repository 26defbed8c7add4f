/** Files that tell a server, when it starts, to be a standby or to recover from an archive; the last is that before 12. */
export const ofRecovery = ['standby.signal', 'recovery.signal', 'recovery.conf'] as const
