/** Names at the end every test that was skipped, with the reason; says so when none was. */
export default async function* skippedReporter(source) {
  const skipped = [];
  for await (const event of source) {
    if ((event.type === "test:pass" || event.type === "test:fail") && event.data.skip !== undefined) {
      skipped.push(`  ${event.data.name}: ${event.data.skip === true ? "no reason given" : event.data.skip}`);
    }
  }
  yield skipped.length === 0 ? "\nNothing was skipped.\n" : `\nSkipped (${skipped.length}):\n${skipped.join("\n")}\n`;
}
