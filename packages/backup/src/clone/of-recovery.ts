/** The files that make a starting server a standby, or make it recover from an archive. The last one was used before 12. */
export const ofRecovery = ['standby.signal', 'recovery.signal', 'recovery.conf'] as const
