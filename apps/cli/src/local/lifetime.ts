/**
 * Resolves when somebody asks this process to end: SIGINT, SIGTERM, or the death of the process that started it with a
 * channel (`up` and its agent).
 */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
    if (process.channel) process.once("disconnect", resolve);
  });
  // Whoever listens on the channel keeps the process alive: from here on nobody does.
  process.channel?.unref();
}
