import type { SVGProps } from "react";

type Props = SVGProps<SVGSVGElement> & { size?: number };

/** Strokes on a 24 × 24 grid. Decoration: the text beside them says what they mean. */
function icon(...paths: string[]) {
  return function Icon({ size = 16, ...props }: Props) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth={1.75}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
        {...props}
      >
        {paths.map((d) => (
          <path key={d} d={d} />
        ))}
      </svg>
    );
  };
}

export const OverviewIcon = icon("M4 4h7v9H4z", "M13 4h7v5h-7z", "M13 11h7v9h-7z", "M4 15h7v5H4z");
export const EyeIcon = icon("M3 12s3-6 9-6 9 6 9 6-3 6-9 6-9-6-9-6z", "M10 12a2 2 0 1 0 4 0a2 2 0 1 0-4 0");
export const BoxIcon = icon("M12 3l8 4.5v9L12 21l-8-4.5v-9z", "M12 12l8-4.5", "M12 12v9", "M12 12L4 7.5");
export const ClusterIcon = icon(
  "M12 3l8 4.5v9L12 21l-8-4.500v-9z",
  "M9 12a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
  "M12 3v6M12 15v6",
);
export const ShieldIcon = icon("M12 3l7 3v5c0 5-3.500 8-7 10-3.500-2-7-5-7-10V6z", "M9 12l2 2 4-4");
export const GateIcon = icon("M4 20V6l8-3 8 3v14", "M4 20h16", "M8 20v-9h8v9", "M12 11v9");
export const NetworkIcon = icon(
  "M9 5a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
  "M2 18a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
  "M16 18a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
  "M10.500 7.600l-4 7.700M13.500 7.600l4 7.700M8 18h8",
);
export const GlobeIcon = icon("M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0", "M3 12h18", "M12 3c3 3 3 15 0 18c-3-3-3-15 0-18");
export const ServerIcon = icon("M4 4h16v6H4z", "M4 14h16v6H4z", "M8 7h.01M8 17h.01");
export const LayersIcon = icon("M12 4l9 5-9 5-9-5z", "M3 14l9 5 9-5");
export const BellIcon = icon("M6 9a6 6 0 0 1 12 0c0 6 2 7 2 8H4c0-1 2-2 2-8", "M10 20a2.2 2.2 0 0 0 4 0");
export const BugIcon = icon(
  "M8 9a4 4 0 0 1 8 0v5a4 4 0 0 1-8 0z",
  "M8 9h8M4 6l4 3M20 6l-4 3M3 13h5M21 13h-5M4 20l4.5-3.5M20 20l-4.5-3.5",
);
export const PulseIcon = icon("M3 12h4l3-8 4 16 3-8h4");
export const SettingsIcon = icon(
  "M4 7h9M17 7h3M4 17h3M11 17h9",
  "M13 7a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  "M7 17a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
);
export const SearchIcon = icon("M4 11a7 7 0 1 0 14 0a7 7 0 1 0-14 0", "M16 16l5 5");
export const CloseIcon = icon("M6 6l12 12M18 6L6 18");
export const CheckIcon = icon("M5 12.5l4.5 4.5L19 7");
export const CopyIcon = icon("M8 8h12v12H8z", "M16 8V4H4v12h4");
export const ChevronDownIcon = icon("M6 9l6 6 6-6");
export const ChevronRightIcon = icon("M9 6l6 6-6 6");
export const ArrowUpIcon = icon("M12 19V5M6 11l6-6 6 6");
export const ExternalIcon = icon("M14 4h6v6M20 4l-9 9", "M18 14v6H4V6h6");
export const RefreshIcon = icon("M20 11a8 8 0 0 0-14-4.5L4 9M4 4v5h5", "M4 13a8 8 0 0 0 14 4.5L20 15M20 20v-5h-5");
export const UserIcon = icon("M8 8a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "M4 21c0-4 3.5-6 8-6s8 2 8 6");
export const LogoutIcon = icon("M14 4H5v16h9", "M10 12h11M17 8l4 4-4 4");
export const KeyboardIcon = icon("M3 6h18v12H3z", "M7 10h.01M11 10h.01M15 10h.01M8 14h8");
export const PlayIcon = icon("M7 5l12 7-12 7z");
export const StopIcon = icon("M6 6h12v12H6z");
export const PlugIcon = icon("M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0zM12 18v3");
export const AlertIcon = icon("M12 4l9.5 16h-19z", "M12 10v4M12 17h.01");
export const FlameIcon = icon(
  "M12 3c1 4 5 5.5 5 10.5a5 5 0 0 1-10 0c0-2 1-3.5 2-4.5 0 2 1 3 2 3 1.500-2.500-.5-5 1-9z",
);
export const TrashIcon = icon("M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5");
export const PlusIcon = icon("M12 5v14M5 12h14");
export const MinusIcon = icon("M5 12h14");
export const FitIcon = icon("M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5");
export const InfoIcon = icon("M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0", "M12 11v5M12 8h.01");
