import type { InstalledPackage } from "@bulwark/model";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterText } from "../../ui/filters.tsx";
import { LayersIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import classes from "./assets.module.css";
import type { ChangeImageSearch, ImageSearch } from "./search.ts";

interface Props {
  packages: InstalledPackage[];
  search: ImageSearch;
  change: ChangeImageSearch;
}

const idOf = (item: InstalledPackage): string => `${item.purl}\n${item.location}`;

/** Everything installed in an image; searched and sorted here, because the whole list came with the image. */
export function PackageTable({ packages, search, change }: Props) {
  const { t } = useTranslation();
  const { sort = "name", package: wanted = "" } = search;
  const rows = useMemo(() => select(packages, wanted, sort), [packages, wanted, sort]);
  return (
    <>
      <FilterText
        label={t("image.searchPackages")}
        value={search.package}
        onChange={(value) => change({ package: value })}
      />
      <div className={classes.packages} style={{ marginTop: 8 }}>
        <DataTable
          label={t("field.packages")}
          columns={useColumns(sort, change)}
          renderCard={(item) => (
            <Card>
              <CardLine>
                <span className={`cut ${classes.name}`}>
                  <Line text={item.name} />
                </span>
              </CardLine>
              <CardLine dim end={<span className="cut">{item.source.name}</span>}>
                <Line mono text={item.version} />
              </CardLine>
            </Card>
          )}
          primary={false}
          cardsBelow={340}
          rows={rows}
          idOf={idOf}
          nameOf={({ name, version }) => `${name} ${version}`}
          empty={<Empty icon={<LayersIcon size={20} />} title={t("image.noPackages")} />}
        />
      </div>
    </>
  );
}

function select(packages: InstalledPackage[], wanted: string, sort: string): InstalledPackage[] {
  const text = wanted.toLowerCase();
  const textOf = (item: InstalledPackage): string => (sort.endsWith("source") ? item.source.name : item.name);
  const direction = sort.startsWith("-") ? -1 : 1;
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  return packages
    .filter(({ name, version, source }) => `${name} ${version} ${source.name}`.toLowerCase().includes(text))
    .sort((one, other) => direction * (compare(textOf(one), textOf(other)) || compare(one.version, other.version)));
}

function useColumns(sort: NonNullable<ImageSearch["sort"]>, change: ChangeImageSearch): Column<InstalledPackage>[] {
  const { t } = useTranslation();
  return useMemo(() => {
    const sorting = (name: "name" | "source"): NonNullable<Column<InstalledPackage>["sort"]> => ({
      direction: sort === name ? "ascending" : sort === `-${name}` ? "descending" : undefined,
      toggle: () => change({ sort: sort === name ? `-${name}` : name }),
    });
    return [
      {
        id: "name",
        header: t("field.package"),
        width: "minmax(0, 1.2fr)",
        sort: sorting("name"),
        cell: ({ name }) => (
          <span className={`cut ${classes.name}`}>
            <Line text={name} />
          </span>
        ),
      },
      {
        id: "version",
        header: t("field.version"),
        width: "minmax(0, 1.2fr)",
        cell: ({ version }) => <Line mono text={version} />,
      },
      {
        id: "source",
        header: t("field.source"),
        width: "minmax(0, 1fr)",
        sort: sorting("source"),
        cell: ({ source }) => (
          <span className="cut dim">
            <Line text={source.name} />
          </span>
        ),
      },
    ];
  }, [sort, change, t]);
}
