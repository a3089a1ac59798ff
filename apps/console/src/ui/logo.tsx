/** A battlement: what a bulwark is. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#3b5bdb" />
      <path d="M7 25V9h4v4h3V9h4v4h3V9h4v16h-6v-5a3 3 0 0 0-6 0v5z" fill="#fff" />
    </svg>
  );
}
