// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <string>
#include <vector>

/// Simulated ganglion cells whose mechanism is known. Double precision throughout; contrast in, Hz out, frames of 10 ms.
namespace amacrine::recording {

inline constexpr std::size_t circuit_lags = 40;  ///< frames of memory
inline constexpr double circuit_frame_ms = 10.0;
inline constexpr double circuit_beta_per_hz = 0.3;  ///< sharpness of the output: softplus(z) = log(1 + exp(beta z)) / beta

/// An interneuron: a separable filter, a threshold, and a weight onto the ganglion cell.
///   activity h(t) = max(0, bias + sum_l k[l] sum_yx g[y, x] s[t - l, y, x])
///   k = polarity (G(t; n1, p1) - rho G(t; n2, p2)) / sum |.|, t = 10 l ms, G(t; n, p) = (t / p)^n exp(n (1 - t / p))
///   g = N(sigma_centre) - kappa N(sigma_surround), each N a Gaussian on the pixel grid that sums to one
struct CircuitUnit {
  std::string name;
  bool excitatory = true;
  int polarity = 1;  ///< +1 ON, -1 OFF
  double n1 = 1, p1_ms = 100, n2 = 1, p2_ms = 100, rho = 0;
  double bias = 0;    ///< contrast
  double weight = 1;  ///< Hz per unit of activity; negative inhibits
  double sigma_centre_px = 1.6, sigma_surround_px = 3.2, kappa = 0;
  double dx_px = 0, dy_px = 0;  ///< of the unit from the cell's centre
  int window_px = 0;            ///< g is cut to a square of that many pixels a side, and sums to one within it; 0: not cut

  /// (40) MOST RECENT FIRST: element l multiplies the frame l * 10 ms ago; element 0 is 0. Sum of |elements| is 1.
  std::vector<double> temporal() const;
  /// (Y * X), row-major, for a cell centred at `centre`; the unit's displacement is added.
  std::vector<double> spatial(const stimulus::Screen& screen, const stimulus::Centre& centre) const;
};

/// A unit of a second rectifying layer: m = max(0, bias + sum_u weights[u] h_u).
struct SecondUnit {
  std::string name;
  double bias = 0;
  std::vector<double> weights;  ///< (U) of the interneurons, in their order
  double weight_hz = 0;         ///< onto the ganglion cell, Hz per unit of m
};

enum class CircuitKind {
  feed_forward,           ///< r = softplus(offset + sum_i w_i h_i)
  two_layers,             ///< r = softplus(offset + sum_j v_j m_j) with m of `second`; the units' own weights do not count
  depressing_inhibition,  ///< ON excitation (units[1]) minus OFF inhibition (units[0]) through a synapse that depresses
  gain_control,           ///< one linear input (units[0]) divided by a running average of itself
};

/// Constants of the dynamic circuits (2 ms exponential Euler steps, rate averaged over the frame).
struct CircuitDynamics {
  double recovery_ms = 450.0, release_per_ms = 0.0998, inhibition_ms = 72.9, inhibition_hz = 800.0, membrane_ms = 30.0;
  double adaptation_ms = 500.0, feedback_per_ms = 0.0384, gain_hz = 335.0, threshold = 0.0335;
};

struct Circuit {
  std::string name;
  CircuitKind kind = CircuitKind::feed_forward;
  double offset_hz = 0;
  std::vector<CircuitUnit> units;
  std::vector<SecondUnit> second{};
  CircuitDynamics dynamics;

  /// One layer of interneurons that add up. (A circuit of two layers is not meant.)
  bool feed_forward() const { return kind == CircuitKind::feed_forward; }
  /// No state beyond the filters' memory: the rate is a function of the last 40 frames.
  bool stateless() const { return feed_forward() || kind == CircuitKind::two_layers; }
  /// Index of the unit of that name. Throws InputError naming the units there are.
  std::size_t unit(const std::string& unit_name) const;
};

/// The program's own circuits: the files of circuits/, compiled in (docs/circuits.md).
const std::vector<std::string>& circuit_names();
/// Throws InputError naming the circuits there are.
const Circuit& circuit(const std::string& name);

/// What is taken out of a circuit. Unit names of circuits without a state; flags of dynamic ones.
struct Lesion {
  std::vector<std::string> dropped{};  ///< these units, of either layer, are silent
  std::vector<std::string>
      linear{};                ///< these interneurons lose their rectifier (their activity on grey is kept); "all": every one
  bool no_depression = false;  ///< the synapse stays at its mean state in a train of dark flashes every 100 ms
  bool no_inhibition = false, no_feedback = false;
};

struct CircuitResponse {
  std::vector<double> rate_hz;  ///< (T)
  /// (U, T). Feed-forward: w_i h_i in Hz. Two layers: h_i times the weight it has through the active units of the second
  /// layer, in Hz. Depressing: rows 0 and 1, minus the inhibition g and the excitation e in Hz.
  /// Gain control: row 0, gain_hz (y - threshold).
  core::Array<double, 2> contribution_hz;
};

/// The response to a movie (T, Y, X) in contrast; before it the world was grey.
CircuitResponse respond(const Circuit& circuit, const core::Array<float, 3>& contrast, const stimulus::Screen& screen,
                        const stimulus::Centre& centre, const Lesion& lesion = {});
/// Rate on grey: Hz, after the circuit has settled.
double resting_rate(const Circuit& circuit);

/// Exact attribution of a stateless circuit's rate at `frame` along grey -> stimulus, per interneuron:
/// A_i = Int_0^1 softplus'(z(a)) w_i(a) dh_i/da da, by a fine rule in `steps` panels; w_i is the weight of the interneuron, with
/// two layers that through the active units of the second. Sum A = rate - rate on grey. Throws InputError for dynamic circuits
/// and frames outside the movie.
struct CircuitAttribution {
  std::vector<double> drive;            ///< (U) filter output without bias, contrast
  std::vector<double> activity;         ///< (U) h
  std::vector<double> contribution_hz;  ///< (U) w h, as in CircuitResponse
  std::vector<double> attribution_hz;   ///< (U) A
  double rate_hz = 0, rate_grey_hz = 0, completeness_error_hz = 0;
};
CircuitAttribution attribute(const Circuit& circuit, const core::Array<float, 3>& contrast, const stimulus::Screen& screen,
                             const stimulus::Centre& centre, std::size_t frame, int steps = 4000);

/// softplus(z) = log(1 + exp(beta z)) / beta with the circuits' beta, z and result in Hz.
double circuit_softplus(double z_hz);

}  // namespace amacrine::recording
