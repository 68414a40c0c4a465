"""The words of CBV 2.0 (and of the GS1 Web Vocabulary for sensors), however they are spelt.

A word is written bare in JSON (`shipping`), as a compact IRI (`cbv:BizStep-shipping`), as the URN of CBV 1.2
(`urn:epcglobal:cbv:bizstep:shipping`) or as a Web URI (`https://ref.gs1.org/cbv/BizStep-shipping`).
"""

from dataclasses import dataclass
from functools import lru_cache

_CBV = ("https://ref.gs1.org/cbv/", "http://ref.gs1.org/cbv/", "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/")
_VOC = ("https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/")

_MARKS = ("BizStep", "Disp", "BTT", "SDT", "ER", "Comp")
# the spaces of CBV's own words, in any of their spellings
_CLOSED = (
    *(f"{base}{mark}-" for base in _CBV for mark in _MARKS),
    *(f"urn:epcglobal:cbv:{mark.lower()}:" for mark in _MARKS),
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that one field may have, and how their URIs begin; `urn` is '' where CBV 1.2 had none.

    `drafts`: words of drafts of the standard that published documents still have; taken, and told.
    """

    what: str
    words: frozenset[str]
    bases: tuple[str, ...]
    urn: str
    drafts: frozenset[str] = frozenset()

    def bare(self, uri: str) -> str:
        """The word when `uri` names one, else the URI itself."""
        for base in (*self.bases, self.urn):
            if base and uri.startswith(base):
                word = uri[len(base) :]
                return word if word in self.words else uri
        return uri

    def refuses(self, iri: str) -> bool:
        """Whether a text that is none of the words may not stand in the field either: bare, or a word of CBV that
        CBV does not have, or has for another field (CBV 2.0 section 7)."""
        return iri.startswith(_CLOSED) or (":" not in iri and iri not in self.drafts)

    def web_uri(self, word: str) -> str:
        """The Web URI of a word; a URI as it is."""
        return self.bases[0] + word if word in self.words else word


def _vocabulary(what: str, *, mark: str, urn: str, words: str, drafts: str = "") -> Vocabulary:
    bases = tuple(f"{base}{mark}-" for base in _CBV) if mark else _VOC
    return Vocabulary(
        what, frozenset(words.split()), bases, f"urn:epcglobal:cbv:{urn}:" if urn else "", frozenset(drafts.split())
    )


BIZ_STEP = _vocabulary(
    "a business step",
    mark="BizStep",
    urn="bizstep",
    words="""accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
    retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping""",
)
DISPOSITION = _vocabulary(
    "a disposition",
    mark="Disp",
    urn="disp",
    words="""active available completeness_verified completeness_inferred conformant container_closed container_open
    damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_instance
    mismatch_class mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other
    partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen
    unavailable unknown""",
)
TRANSACTION = _vocabulary(
    "a business transaction type",
    mark="BTT",
    urn="btt",
    words="bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
)
PARTY = _vocabulary("source or destination type", mark="SDT", urn="sdt", words="owning_party possessing_party location")
ERROR_REASON = _vocabulary("an error reason", mark="ER", urn="er", words="did_not_occur incorrect_data")
COMPONENT = _vocabulary(
    "a component",
    mark="Comp",
    urn="comp",
    words="""x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude
    longitude altitude""",
)
MEASUREMENT = _vocabulary(
    "a measurement type",
    drafts="EffectiveDoseRate Molar_concentration",
    mark="",
    urn="",
    words="""AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance
    Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity
    ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
    Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux
    LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate
    MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux
    RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity
    SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber""",
)
ALERT = _vocabulary("a sensor alert type", mark="", urn="", words="ALARM_CONDITION ERROR_CONDITION")


@lru_cache(maxsize=1 << 12)
def canonical_word(uri: str, vocabulary: Vocabulary) -> str:
    """The Web URI of a word in any spelling but the compact one, which needs its context; another URI as it is."""
    return vocabulary.web_uri(vocabulary.bare(uri))
