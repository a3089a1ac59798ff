import { BarChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useEffectEvent, useRef } from "react";
import classes from "./overview.module.css";

use([BarChart, GridComponent, TooltipComponent, SVGRenderer]);

interface Hour {
  time: number;
  count: number;
}

interface Props {
  hours: Hour[];
  labelOf: (time: number) => string;
  /** Text shown over a bar; shown as text, never as HTML. */
  tipOf: (hour: Hour) => string;
  onPick: (hour: Hour) => void;
}

export function HourChart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const scheme = useComputedColorScheme();
  const pick = useEffectEvent((index: number | undefined) => {
    const picked = index === undefined ? undefined : props.hours[index];
    if (picked && picked.count > 0) props.onPick(picked);
  });

  useEffect(() => {
    if (!box.current) return undefined;
    const made = init(box.current, null, { renderer: "svg" });
    chart.current = made;
    made.getZr().on("click", ({ offsetX, offsetY }) => {
      pick(made.convertFromPixel({ gridIndex: 0 }, [offsetX, offsetY])?.[0]);
    });
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = undefined;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(optionsOf(props, scheme === "dark"));
  }, [props, scheme]);

  return <div ref={box} className={classes.bars} />;
}

function optionsOf({ hours, labelOf, tipOf }: Props, darkMode: boolean) {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const text = { color: color("--text-3"), fontSize: 11 };
  return {
    darkMode,
    animationDuration: 200,
    grid: { left: 4, right: 4, top: 8, bottom: 2, containLabel: true },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      axisPointer: { type: "shadow", shadowStyle: { color: color("--text-3"), opacity: 0.08 } },
      backgroundColor: color("--text"),
      borderWidth: 0,
      padding: [5, 9],
      textStyle: { color: color("--surface"), fontSize: 12 },
      formatter: ([item]: { dataIndex: number }[]) => {
        const hour = item && hours[item.dataIndex];
        return hour ? tipOf(hour) : "";
      },
    },
    xAxis: {
      type: "category",
      data: hours.map(({ time }) => labelOf(time)),
      axisLine: { lineStyle: { color: color("--line-strong") } },
      axisTick: { show: false },
      axisLabel: { ...text, interval: 3 },
    },
    yAxis: {
      type: "value",
      minInterval: 1,
      splitNumber: 3,
      axisLabel: text,
      splitLine: { lineStyle: { color: color("--line") } },
    },
    series: [
      {
        type: "bar",
        data: hours.map(({ count }) => count),
        barWidth: "62%",
        itemStyle: { color: color("--chart"), borderRadius: [3, 3, 0, 0] },
        emphasis: { itemStyle: { color: color("--accent") } },
      },
    ],
  };
}
