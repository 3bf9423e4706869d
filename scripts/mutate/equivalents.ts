/** Faults that change nothing anybody could observe, by label, and why. They count as tried, not as survivors. */
export const equivalents: Readonly<Record<string, string>> = {
  'PaymentChannels _claim operator: cumulative < channel.deposit -> (cumulative <= channel.deposit)': 'the smaller of two equal numbers is either',
  'SlasherBase _punishAll operator: place < c.size -> (place <= c.size)': 'no certificate has a bit beyond its roster: Quorum refuses it',
};
