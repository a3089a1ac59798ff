import { ExternalIcon } from "../../ui/icons.tsx";
import { Raw } from "../../ui/raw.tsx";
import { webAddress } from "./web-address.ts";
import classes from "./findings.module.css";

const most = 30;

/** Addresses from advisories. What is not a page of the web is shown, not linked. */
export function References({ addresses }: { addresses: string[] }) {
  return (
    <ul className={classes.references}>
      {addresses.slice(0, most).map((address) => {
        const link = webAddress(address);
        return (
          <li key={address}>
            {link === undefined ? (
              <Raw text={address} mono={false} />
            ) : (
              <a href={link} target="_blank" rel="noopener noreferrer">
                <Raw text={address} mono={false} limit={160} /> <ExternalIcon size={12} />
              </a>
            )}
          </li>
        );
      })}
    </ul>
  );
}
