import type { Severity } from '../events/event.ts';

/** What can be wrong with a component. The sources name faults in Chinese and give them no codes; the keys are ours. */
export interface Fault {
  nameZh: string;
  nameEn: string;
  /** Four-digit component classes that can have it; empty means any. */
  components: readonly string[];
  severity: Severity;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i).padStart(4, '0'));

/** 井盖 of every owner: 0101-0114 and 0127-0130. */
export const MANHOLE_CLASSES: readonly string[] = [...range(101, 114).filter((c) => c !== '0113'), ...range(127, 130)];

export const FAULTS = {
  cover_open: {
    nameZh: '井盖缺失/移位',
    nameEn: 'Manhole cover missing or moved',
    components: MANHOLE_CLASSES,
    severity: 'critical',
  },
  cover_overflow: { nameZh: '井盖外溢', nameEn: 'Manhole overflowing', components: MANHOLE_CLASSES, severity: 'high' },
  gas_combustible: {
    nameZh: '井下可燃气体超限',
    nameEn: 'Combustible gas in manhole',
    components: MANHOLE_CLASSES,
    severity: 'critical',
  },
  gas_h2s: { nameZh: '井下硫化氢超限', nameEn: 'H2S in manhole', components: MANHOLE_CLASSES, severity: 'high' },
  gas_co: { nameZh: '井下一氧化碳超限', nameEn: 'CO in manhole', components: MANHOLE_CLASSES, severity: 'high' },
  oxygen_low: { nameZh: '井下缺氧', nameEn: 'Low oxygen in manhole', components: MANHOLE_CLASSES, severity: 'high' },
  temperature_high: { nameZh: '温度过高', nameEn: 'Temperature too high', components: [], severity: 'high' },
  smoke: { nameZh: '烟雾', nameEn: 'Smoke', components: [], severity: 'critical' },
  lamp_out: { nameZh: '路灯不亮', nameEn: 'Street lamp out', components: ['0118'], severity: 'normal' },
  lamp_day_burning: { nameZh: '白昼亮灯', nameEn: 'Street lamp on by day', components: ['0118'], severity: 'low' },
  lamp_leakage: { nameZh: '路灯漏电', nameEn: 'Lamp leakage current', components: ['0118'], severity: 'critical' },
  lamp_over_current: { nameZh: '路灯过流', nameEn: 'Lamp over-current', components: ['0118'], severity: 'high' },
  lamp_voltage: { nameZh: '路灯电压异常', nameEn: 'Lamp supply voltage out of range', components: ['0118'], severity: 'normal' },
  lamp_control: { nameZh: '路灯控制故障', nameEn: 'Lamp control fault', components: ['0118'], severity: 'normal' },
  pole_tilt: { nameZh: '灯杆倾斜', nameEn: 'Pole tilted', components: ['0118', '0117'], severity: 'high' },
  base_opened: { nameZh: '灯杆检修门打开', nameEn: 'Pole door open', components: ['0118'], severity: 'high' },
  base_flooded: { nameZh: '灯杆底部进水', nameEn: 'Water in pole base', components: ['0118'], severity: 'high' },
  hydrant_low_pressure: { nameZh: '消火栓压力不足', nameEn: 'Hydrant low pressure', components: ['0113'], severity: 'high' },
  hydrant_over_pressure: { nameZh: '消火栓超压', nameEn: 'Hydrant over-pressure', components: ['0113'], severity: 'high' },
  hydrant_no_water: { nameZh: '消火栓无水', nameEn: 'Hydrant without water', components: ['0113'], severity: 'critical' },
  hydrant_unauthorised_use: {
    nameZh: '消火栓漏水/违规用水',
    nameEn: 'Hydrant leaking or unauthorised use',
    components: ['0113'],
    severity: 'high',
  },
  hydrant_cap_open: { nameZh: '消火栓盖打开', nameEn: 'Hydrant cap open', components: ['0113'], severity: 'high' },
  hydrant_knocked_over: { nameZh: '消火栓撞倒', nameEn: 'Hydrant knocked over', components: ['0113'], severity: 'critical' },
  hydrant_freeze: { nameZh: '消火栓冰冻风险', nameEn: 'Hydrant freeze risk', components: ['0113'], severity: 'normal' },
  bin_overflow: { nameZh: '垃圾箱满溢', nameEn: 'Bin overflowing', components: ['0305'], severity: 'normal' },
  camera_offline: { nameZh: '视频离线/遮挡', nameEn: 'Camera offline or occluded', components: ['0136'], severity: 'normal' },
  camera_picture: { nameZh: '视频画面异常', nameEn: 'Camera picture impaired', components: ['0136'], severity: 'low' },
  device_offline: { nameZh: '设备离线', nameEn: 'Device offline', components: [], severity: 'normal' },
  device_fault: { nameZh: '传感器数据异常', nameEn: 'Sensor values implausible', components: [], severity: 'normal' },
  device_unstable: { nameZh: '设备告警频繁抖动', nameEn: 'Unstable device', components: [], severity: 'normal' },
  circuit_dark: { nameZh: '路灯回路断电', nameEn: 'Lamp circuit dark', components: [], severity: 'high' },
  zone_low_pressure: { nameZh: '供水分区压力不足', nameEn: 'Pressure zone low', components: [], severity: 'high' },
  basin_flooded: { nameZh: '排水片区内涝', nameEn: 'Drainage basin flooded', components: [], severity: 'high' },
  alarm_storm: { nameZh: '告警风暴', nameEn: 'Alarm storm', components: [], severity: 'high' },
  battery_low: { nameZh: '电池电量低', nameEn: 'Battery low', components: [], severity: 'low' },
} as const satisfies Record<string, Fault>;

export type FaultKey = keyof typeof FAULTS;

export function fault(key: string): Fault | undefined {
  return Object.hasOwn(FAULTS, key) ? FAULTS[key as FaultKey] : undefined;
}
