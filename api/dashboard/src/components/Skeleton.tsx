/** A grey bar that stands where text will be, in the text's own size. */
export function Skeleton({ width }: { width: string }) {
  return <span class="skeleton" style={{ width }} />;
}
